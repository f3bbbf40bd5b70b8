/** English. */
import type { HandoutTexts } from './handout-texts.ts';

export const handoutEn: HandoutTexts = {
  accounts: 'Accounts',
  user: 'User',
  name: 'Name',
  address: 'Address',
  realm: 'Realm',
  userName: 'User name',
  password: 'Password',
  schoolLogin: 'your school login',
  pool: 'Pool',
  until: 'Until',
  lastDay: (day) => `${day}, end of day`,
  machine: 'Machine',
  machines: 'Machines',
  vmid: 'VMID',
  node: 'Node',
  lab: 'Lab',
  console: 'Console',
  consoles: 'Consoles',
  openConsole: 'console',
  first:
    'First: open the address in a browser, choose the realm, log in. Then choose a machine on the left, Start it, and open its Console.',
  wayBack: (snapshot) =>
    `Broken something? Choose the machine, Snapshots, ${snapshot}, Rollback: it is as it was handed out, and all that was done on it since is gone.`,
  subject: (lab) => (lab === '' ? 'Your login' : `Your login for the lab ${lab}`),
  greeting: (name) => (name === '' ? 'Hello,' : `Hello ${name},`),
  intro: (lab) =>
    lab === '' ? 'this is how you log in to your machines.' : `this is how you log in to the lab ${lab}.`,
};
