/** Reading SDN: zones and vnets as configured, applied and pending, and what the nodes say of them. Changes nothing. */
import { PveError, die } from '../pve-error.ts';
import { appliedSdn, isSdnPending, isZoneOn, vnetsOn } from '../network/sdn.ts';
import { sha1 } from '../access/secrets.ts';
import type { Call, Handlers } from '../sim.ts';
import type { NodeState, SdnConfig, VnetState, ZoneState } from '../state.ts';

type Section = Readonly<Record<string, string | number>>;

/** A zone as its section file has it. */
const zoneSection = ({ type, options = {} }: ZoneState): Section => ({ type, ...options });

const vnetSection = ({ zone, tag, alias, vlanaware, isolatePorts = false }: VnetState): Section => ({
  type: 'vnet',
  zone,
  ...(tag === undefined ? {} : { tag }),
  ...(alias === undefined ? {} : { alias }),
  ...(vlanaware ? { vlanaware: 1 } : {}),
  ...(isolatePorts ? { 'isolate-ports': 1 } : {}),
});

/** SDN.pm pending_config: applied values, with the new ones below `pending`. */
function pendingRow(running: Section | undefined, staged: Section | undefined): Record<string, unknown> {
  if (!staged) return { ...running, state: 'deleted', pending: {} };
  if (!running) {
    const { type, ...pending } = staged;
    return { type, state: 'new', pending };
  }
  const keys = [...new Set([...Object.keys(running), ...Object.keys(staged)])];
  const changed = keys.filter((key) => running[key] !== staged[key]);
  if (changed.length === 0) return { ...running };
  const pending = Object.fromEntries(changed.map((key) => [key, staged[key] ?? 'deleted']));
  return { ...running, state: 'changed', pending };
}

/** What the parameters ask for: the staged configuration, what was applied, or both compared. */
function sections<T>(
  call: Call,
  listOf: (config: SdnConfig) => readonly T[],
  nameOf: (one: T) => string,
  sectionOf: (one: T) => Section,
): Map<string, Record<string, unknown>> {
  const { sdn } = call.sim.world;
  const maps = [appliedSdn(sdn), sdn].map(
    (config) => new Map(listOf(config).map((one) => [nameOf(one), sectionOf(one)] as const)),
  );
  const [running = new Map<string, Section>(), staged = new Map<string, Section>()] = maps;
  if (call.params.flag('pending')) {
    const names = [...new Set([...running.keys(), ...staged.keys()])].sort();
    return new Map(names.map((name) => [name, pendingRow(running.get(name), staged.get(name))]));
  }
  const chosen = call.params.flag('running') ? running : staged;
  return new Map([...chosen].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Of the section file, as rows carry it. */
export const sdnDigest = (list: readonly unknown[]): string => sha1(JSON.stringify(list));

const zoneSections = (call: Call): Map<string, Record<string, unknown>> =>
  sections(
    call,
    (config) => config.zones,
    ({ zone }) => zone,
    zoneSection,
  );

const vnetSections = (call: Call): Map<string, Record<string, unknown>> =>
  sections(
    call,
    (config) => config.vnets,
    ({ vnet }) => vnet,
    vnetSection,
  );

export function needSdn(call: Call, text: string): void {
  if (!call.sim.world.sdn.installed) throw new PveError(501, `Method '${text}' not implemented`);
}

function mayReadVnet(call: Call, vnet: string, zone: string): boolean {
  const path = call.sim.facts.major === 7 ? `/sdn/vnets/${vnet}` : `/sdn/zones/${zone}/${vnet}`;
  return call.sim.rights.hasAny(call.user, path, ['SDN.Audit', 'SDN.Allocate']);
}

const zoneOfRow = (row: Record<string, unknown>): string => {
  const pending = row['pending'] as Record<string, unknown> | undefined;
  return String(row['zone'] ?? pending?.['zone']);
};

function listVnets(call: Call): unknown {
  needSdn(call, 'GET /cluster/sdn/vnets');
  const digest = sdnDigest(call.sim.world.sdn.vnets);
  return [...vnetSections(call)]
    .filter(([vnet, row]) => mayReadVnet(call, vnet, zoneOfRow(row)))
    .map(([vnet, row]) => ({ ...row, vnet, digest }));
}

function listZones(call: Call): unknown {
  needSdn(call, 'GET /cluster/sdn/zones');
  const { sim, user, params } = call;
  const type = params.optText('type');
  const digest = sdnDigest(sim.world.sdn.zones);
  return [...zoneSections(call)]
    .filter(([zone]) => sim.rights.hasAny(user, `/sdn/zones/${zone}`, ['SDN.Audit', 'SDN.Allocate']))
    .filter(([, row]) => type === undefined || row['type'] === type)
    .map(([zone, row]) => ({ ...row, zone, digest }));
}

function readZone(call: Call): unknown {
  const zone = call.params.text('zone');
  needSdn(call, `GET /cluster/sdn/zones/${zone}`);
  const row = zoneSections(call).get(zone) ?? die(`sdn '${zone}' does not exist`);
  return { ...row, zone, digest: sdnDigest(call.sim.world.sdn.zones) };
}

/** Rights are looked up by the zone that the staged configuration names. */
export function needVnet(call: Call, privs: readonly string[]): VnetState {
  const id = call.params.text('vnet');
  const found = call.sim.world.sdn.vnets.find(({ vnet }) => vnet === id);
  if (!found) die(`sdn vnet '${id}' does not exist`);
  if (call.sim.facts.major > 7) call.sim.rights.needAny(call.user, `/sdn/zones/${found.zone}/${id}`, privs);
  return found;
}

function readVnet(call: Call): unknown {
  const id = call.params.text('vnet');
  needSdn(call, `GET /cluster/sdn/vnets/${id}`);
  needVnet(call, ['SDN.Audit', 'SDN.Allocate']);
  const row = vnetSections(call).get(id) ?? die(`sdn vnet '${id}' does not exist`);
  return { ...row, vnet: id, digest: sdnDigest(call.sim.world.sdn.vnets) };
}

/** What a node makes of the zones that it has. */
function zonesOn(call: Call, node: NodeState): { zone: ZoneState; status: string }[] {
  const { sdn } = call.sim.world;
  return appliedSdn(sdn)
    .zones.filter((zone) => isZoneOn(zone, node.name))
    .map((zone) => {
      const broken = vnetsOn(sdn, node.name).some(
        ({ vnet, zone: of }) => of === zone.zone && !node.running[vnet],
      );
      return { zone, status: isSdnPending(sdn, node) ? 'pending' : broken ? 'error' : 'available' };
    });
}

function nodeZones(call: Call): unknown {
  needSdn(call, `GET /nodes/${call.node}/sdn/zones`);
  return zonesOn(call, call.sim.world.node(call.node)).map(({ zone, status }) => ({
    zone: zone.zone,
    status,
  }));
}

function zoneContent(call: Call): unknown {
  const { sim, params } = call;
  const zone = params.text('zone');
  needSdn(call, `GET /nodes/${call.node}/sdn/zones/${zone}/content`);
  const node = sim.world.node(call.node);
  const isPending = isSdnPending(sim.world.sdn, node);
  return vnetsOn(sim.world.sdn, node.name)
    .filter((one) => one.zone === zone)
    .map(({ vnet }) => {
      if (isPending) {
        const statusmsg = 'local sdn network configuration is too old, please reload';
        return { vnet, status: 'pending', statusmsg };
      }
      const isUp = node.running[vnet] !== undefined;
      return {
        vnet,
        status: isUp ? 'available' : 'error',
        statusmsg: isUp ? null : `vnet ${vnet} is not up`,
      };
    });
}

/** Rows of /cluster/resources: type `sdn` until 8, `network` on 9. They come by broadcast, so none from a node that is off. */
export function zoneRows(call: Call, type: string | undefined): Record<string, unknown>[] {
  const { sim, user } = call;
  const { major } = sim.facts;
  const kind = major === 9 ? 'network' : 'sdn';
  if (!sim.world.sdn.installed || (type !== undefined && type !== kind)) return [];
  const may = (zone: string): boolean => sim.rights.has(user, `/sdn/zones/${zone}`, 'SDN.Audit');
  const row = (node: string, zone: string, status: string, zoneType?: string): Record<string, unknown> =>
    major === 9
      ? {
          ...{
            id: `network/${node}/zone/${zone}`,
            type: kind,
            'network-type': 'zone',
            network: zone,
            node,
            status,
          },
          ...(zoneType === undefined ? {} : { 'zone-type': zoneType }),
        }
      : { id: `sdn/${node}/${zone}`, type: kind, sdn: zone, node, status };
  const nodes = [...sim.world.nodes.values()];
  const local =
    major > 7 && may('localnetwork') ? nodes.map(({ name }) => row(name, 'localnetwork', 'ok')) : [];
  const zones = nodes
    .filter(({ online }) => online)
    .flatMap((node) =>
      zonesOn(call, node)
        .filter(({ zone }) => may(zone.zone))
        .map(({ zone, status }) => row(node.name, zone.zone, status, zone.type)),
    );
  return [...local, ...zones];
}

export const sdnHandlers: Handlers = {
  'GET /cluster/sdn/vnets': listVnets,
  'GET /cluster/sdn/vnets/{vnet}': readVnet,
  'GET /cluster/sdn/zones': listZones,
  'GET /cluster/sdn/zones/{zone}': readZone,
  'GET /nodes/{node}/sdn/zones': nodeZones,
  'GET /nodes/{node}/sdn/zones/{zone}/content': zoneContent,
};
