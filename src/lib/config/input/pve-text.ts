/** Free texts of our files that PVE would refuse, or take and spoil: one row per field. Judges single values, reports nothing. */
import { isIPv4, isIPv6 } from 'node:net';
import { domainToASCII } from 'node:url';
import { isDnsName } from './names.ts';

export interface TextProblem {
  readonly message: string;
  readonly hint: string;
}

type Judge = (value: string) => TextProblem | undefined;

/** user.cfg and the guests' configurations are written as characters and read as bytes: what is no ASCII comes back as something else. */
export function isPlain(text: string): boolean {
  return /^[\x20-\x7e]*$/.test(text);
}

/** Tools.pm, $EMAIL_RE; its \w takes letters of all alphabets, which user.cfg then spoils. */
const EMAIL = /^[\w+~-]+(\.[\w+~-]+)*@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*$/;

function email(value: string): TextProblem | undefined {
  if (EMAIL.test(value)) return undefined;
  const [local = '', domain = '', ...more] = value.split('@');
  if (local === '' || domain === '' || more.length > 0 || /\s/.test(value)) return undefined; // the schema says what it has to be
  const latin = `${local}@${domainToASCII(domain)}`;
  const hint = EMAIL.test(latin) ? `write ${latin}` : 'give another address, or leave email out';
  return isPlain(value)
    ? { message: 'PVE refuses this address: it takes letters, digits and _ + ~ - . only', hint }
    : { message: 'PVE refuses or spoils an address that is not plain ASCII', hint };
}

function plainWord(value: string): TextProblem | undefined {
  if (/^[\x21-\x7e]+$/.test(value)) return undefined;
  return {
    message: 'PVE spoils a login name that is not plain ASCII, and guests refuse one with blanks',
    hint: 'use letters a–z, digits and . _ -, such as student',
  };
}

function plainSecret(value: string): TextProblem | undefined {
  if (isPlain(value)) return undefined;
  return {
    message: 'PVE cannot hash a password that is not plain ASCII',
    hint: 'use letters a–z, digits and the signs of an English keyboard',
  };
}

/** Cloudinit.pm splits at blanks. */
function domains(value: string): TextProblem | undefined {
  const wrong = value.split(/ +/).find((name) => !isDnsName(name));
  if (wrong === undefined) return undefined;
  const latin = value.split(/[\s,;]+/).map((name) => domainToASCII(name));
  return {
    message: 'is no domain, and no list of domains separated by blanks',
    hint: latin.every(isDnsName) ? `write ${latin.join(' ')}` : 'for example: lab.example',
  };
}

/** JSONSchema.pm, format address-list. */
function addresses(value: string): TextProblem | undefined {
  const wrong = value
    .split(/[\s,;]+/)
    .find((part) => part !== '' && !isIPv4(part) && !isIPv6(part) && !isDnsName(part));
  if (wrong === undefined) return undefined;
  return { message: 'PVE takes addresses only', hint: 'for example: 192.0.2.53 2001:db8::53' };
}

function isCidr(value: string, isAddress: (text: string) => boolean, longest: number): boolean {
  const [address = '', length = '', ...more] = value.split('/');
  const bits = /^\d{1,3}$/.test(length) ? Number(length) : 0;
  return more.length === 0 && isAddress(address) && bits >= 1 && bits <= longest;
}

/** QemuServer/Cloudinit, format pve-qm-ipconfig. */
const IP_PARTS: Readonly<Record<string, (value: string) => boolean>> = {
  ip: (value) => ['dhcp', 'manual'].includes(value) || isCidr(value, isIPv4, 32),
  gw: (value) => isIPv4(value),
  ip6: (value) => ['auto', 'dhcp', 'manual'].includes(value) || isCidr(value, isIPv6, 128),
  gw6: (value) => isIPv6(value),
};

function ipConfig(value: string): TextProblem | undefined {
  const parts = value.split(',').map((part) => part.split('='));
  const given = new Map(parts.map(([key = '', text = '']) => [key, text]));
  // What is no such list at all is the schema's to tell.
  if (parts.some((part) => part.length !== 2 || IP_PARTS[part[0] ?? ''] === undefined)) return undefined;
  const hint = 'for example: ip=192.0.2.10/24,gw=192.0.2.1,ip6=2001:db8::10/64, or ip=dhcp';
  if (given.size < parts.length) return { message: 'PVE refuses a key that is given twice', hint };
  const wrong = [...given].find(([key, text]) => IP_PARTS[key]?.(text) !== true);
  if (wrong) return { message: `PVE refuses ${wrong.join('=')}`, hint };
  const lonely = [...given.keys()].find((key) => key.startsWith('gw') && !given.has(key.replace('gw', 'ip')));
  if (lonely === undefined) return undefined;
  return { message: `PVE refuses ${lonely} without ${lonely.replace('gw', 'ip')}`, hint };
}

/** Fields that PVE takes as free text or by a format of its own; names with a pattern are in the schemas. */
export const pveTexts = {
  email,
  'cloud_init.user': plainWord,
  'cloud_init.password': plainSecret,
  'cloud_init.searchdomain': domains,
  'cloud_init.nameserver': addresses,
  'cloud_init.ip_config': ipConfig,
} as const satisfies Readonly<Record<string, Judge>>;
