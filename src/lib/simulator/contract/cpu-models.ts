/** CPU types and flags that a guest's `cpu` may name, per version (QemuServer/CPUConfig.pm). Data only. */

const since7 = `host max kvm32 kvm64 qemu32 qemu64 486 pentium pentium2 pentium3 coreduo core2duo athlon phenom Conroe
 Penryn Nehalem Nehalem-IBRS Westmere Westmere-IBRS SandyBridge SandyBridge-IBRS IvyBridge IvyBridge-IBRS Haswell
 Haswell-IBRS Haswell-noTSX Haswell-noTSX-IBRS Broadwell Broadwell-IBRS Broadwell-noTSX Broadwell-noTSX-IBRS
 Skylake-Client Skylake-Client-IBRS Skylake-Client-noTSX-IBRS Skylake-Server Skylake-Server-IBRS
 Skylake-Server-noTSX-IBRS Cascadelake-Server Cascadelake-Server-noTSX KnightsMill Icelake-Client
 Icelake-Client-noTSX Icelake-Server Icelake-Server-noTSX Opteron_G1 Opteron_G2 Opteron_G3 Opteron_G4 Opteron_G5
 EPYC EPYC-IBPB EPYC-Rome EPYC-Milan`;
const since8 = `x86-64-v2 x86-64-v2-AES x86-64-v3 x86-64-v4 Skylake-Client-v4 Skylake-Server-v4 Skylake-Server-v5
 Cascadelake-Server-v2 Cascadelake-Server-v4 Cascadelake-Server-v5 Cooperlake Cooperlake-v2 Icelake-Server-v3
 Icelake-Server-v4 Icelake-Server-v5 Icelake-Server-v6 SapphireRapids SapphireRapids-v2 GraniteRapids EPYC-v3 EPYC-v4
 EPYC-Rome-v2 EPYC-Rome-v3 EPYC-Rome-v4 EPYC-Milan-v2 EPYC-Genoa`;
const since9 = `Icelake-Server-v7 SapphireRapids-v3 SapphireRapids-v4 GraniteRapids-v2 GraniteRapids-v3 SierraForest
 SierraForest-v2 SierraForest-v3 ClearwaterForest EPYC-v5 EPYC-Rome-v5 EPYC-Milan-v3 EPYC-Genoa-v2 EPYC-Turin`;

const words = (text: string): string[] => text.split(/\s+/);

const models: Readonly<Record<number, ReadonlySet<string>>> = {
  7: new Set(words(since7)),
  8: new Set([since7, since8].flatMap(words)),
  9: new Set([since7, since8, since9].flatMap(words)),
};

const flags = words(
  'pcid spec-ctrl ibpb ssbd virt-ssbd amd-ssbd amd-no-ssb pdpe1gb md-clear hv-tlbflush hv-evmcs aes',
);

const v2 = words('popcnt pni sse4_1 sse4_2 ssse3');
const v3 = ['aes', ...v2, ...words('avx avx2 bmi1 bmi2 f16c fma abm movbe xsave')];

/** What QEMU asks of the host for PVE's own types (CPUConfig.pm builtin models), by the names of /proc/cpuinfo. */
export const hostFlags: Readonly<Record<string, readonly string[]>> = {
  'x86-64-v2': v2,
  'x86-64-v2-AES': ['aes', ...v2],
  'x86-64-v3': v3,
  'x86-64-v4': [...v3, ...words('avx512f avx512bw avx512cd avx512dq avx512vl')],
};

/** What is wrong with a parsed `cpu` beyond its syntax. Custom models live in a file that is empty here. */
export function cpuProblem(values: Readonly<Record<string, string>>, major: number): string | undefined {
  const { cputype = '' } = values;
  if (cputype.startsWith('custom-')) return `Custom cputype '${cputype.slice(7)}' not found`;
  if (cputype !== '' && models[major]?.has(cputype) !== true)
    return `Built-in cputype '${cputype}' is not defined (missing 'custom-' prefix?)`;
  const known = major >= 9 ? ['nested-virt', ...flags] : flags;
  const strange = (values['flags'] ?? '')
    .split(';')
    .some((flag) => flag !== '' && !known.includes(flag.slice(1)));
  if (strange) return `VM-specific CPU flags must be a subset of: ${[...known].sort().join(', ')}`;
  if (values['reported-model'] !== undefined)
    return "Property 'reported-model' not allowed in VM-specific CPU config.";
  return undefined;
}
