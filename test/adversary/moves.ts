/**
 * What students, pool admins and other tenants do to be taken for somebody else, or to be in the way: as data, each done
 * with that account's own login through the API, so that PVE's rights decide. A move that is refused is a fact, no error.
 */
import type { BareSimulator } from '../../src/lib/simulator/simulator.ts';
import type { Version } from '../../src/lib/simulator/version.ts';
import type { VirtualTime } from '../../src/lib/simulator/time/virtual-time.ts';
import { Caller, login, toServer, type Form, type Loose } from '../simulator/harness.ts';
import { EVERYBODY, tokenOf } from './class.ts';
import { noteMaking, noteNotes, type Book } from './ledger.ts';

/** `student`: of the class, with PVEVMAdmin on the own pool. `delegate`: one who may also write the own pool. */
type Who = 'student' | 'delegate' | 'tenant' | 'boss' | 'auditor' | 'two';

/** What a move is made with. Numbers that decide between several are drawn beforehand. */
export interface Scene {
  readonly simulator: BareSimulator;
  readonly time: VirtualTime;
  readonly book: Book;
  readonly draws: readonly number[];
  /** Notes with seals that somebody has read: with VM.Audit on all machines, or of the own ones. */
  readonly seen: Map<number, string>;
}

export interface Move {
  readonly who: Who;
  /** Absent: all. */
  readonly versions?: readonly Version[];
  readonly make: (stage: Stage) => Promise<unknown>;
}

type One = Awaited<ReturnType<Caller['call']>>;

/** The password that `in-process.ts` gives every user whom we make. */
const PASSWORD = 'correct horse';
/** A node tells the others every ten seconds what its machines are called. */
const UNTIL_ALL_KNOW = 12_000;
const MOST_LOOKS = 200;

/** The ids that the readable pool comments name. */
interface Claimed {
  readonly pool: string;
  readonly machine: string;
  readonly vmid: number;
  /** What stands behind `?`; absent: it is said to be made. */
  readonly hash?: string;
}

const CLAIMED = /([a-z][a-z0-9-]*):(\d{3,9})((?:\?[0-9a-f]*)*)/g;

export class Stage {
  readonly scene: Scene;
  /** Requests of this move that changed something, or told what it was after. */
  accepted = 0;
  #draw = 0;

  constructor(scene: Scene) {
    const { serve } = scene.simulator;
    const counting: BareSimulator['serve'] = async (request) => {
      const answer = await serve(request);
      const isWrite = request.method !== 'GET' && !request.target.endsWith('/access/ticket');
      if (isWrite && answer.status === 200) this.accepted += 1;
      const [, vmid] = /\/qemu\/(\d+)\/config$/.exec(request.target) ?? [];
      if (
        isWrite &&
        answer.status === 200 &&
        vmid &&
        typeof request.body === 'string' &&
        /\bdescription\b/.test(request.body)
      )
        noteNotes(Number(vmid), this.scene.book);
      return answer;
    };
    this.scene = { ...scene, simulator: { ...scene.simulator, serve: counting } };
  }

  /** One of these, by the next number. */
  pick<T>(list: readonly T[]): T | undefined {
    const { draws } = this.scene;
    const draw = draws[this.#draw % draws.length] ?? 0;
    this.#draw += 1;
    return list[draw % list.length];
  }

  async as(userid: string): Promise<Caller> {
    const { simulator, time } = this.scene;
    const pause = () => time.sleep(200);
    if (userid !== 'boris@pve')
      return new Caller(toServer(simulator), { Authorization: `PVEAPIToken=${tokenOf(userid)}` }, pause);
    return login(simulator, userid, PASSWORD);
  }

  student(): string {
    return this.pick(EVERYBODY) ?? '';
  }

  /** Everybody who can log in reads every pool. */
  async pools(who: Caller): Promise<{ pool: string; comment: string }[]> {
    const names = this.scene.simulator.snapshot().pools.map(({ poolid }) => poolid);
    const read = names.map(async (pool) => {
      const reply =
        this.scene.simulator.version === '7.4'
          ? await who.get(`/pools/${pool}`)
          : await who.get('/pools', { poolid: pool });
      const found: Loose = Array.isArray(reply.data) ? reply.data[0] : reply.data;
      return { pool, comment: String(found?.comment ?? '') };
    });
    return Promise.all(read);
  }

  async claimed(who: Caller): Promise<Claimed[]> {
    return (await this.pools(who)).flatMap(({ pool, comment }) =>
      [...comment.matchAll(CLAIMED)].map(([, machine, vmid, hashes]) => ({
        pool,
        machine: machine!,
        vmid: Number(vmid),
        ...(hashes ? { hash: hashes.slice(1) } : {}),
      })),
    );
  }

  async own(who: Caller): Promise<Loose[]> {
    const { data } = await who.get('/cluster/resources', { type: 'vm' });
    return Array.isArray(data) ? data.filter(({ type }: Loose) => type === 'qemu') : [];
  }

  /** One of the own machines: its path and id. */
  async machine(who: Caller): Promise<{ path: string; vmid: number; node: string } | undefined> {
    const row: Loose = this.pick(await this.own(who));
    return row && { path: `/nodes/${row.node}/qemu/${row.vmid}`, vmid: row.vmid, node: row.node };
  }

  async end(who: Caller, reply: One): Promise<boolean> {
    if (reply.status !== 200) return false;
    if (typeof reply.data !== 'string' || !reply.data.startsWith('UPID:')) return true;
    const node = reply.data.split(':')[1] ?? '';
    for (let look = 0; look < MOST_LOOKS; look += 1) {
      const { data } = await who.get(`/nodes/${node}/tasks/${encodeURIComponent(reply.data)}/status`);
      if (data?.status === 'stopped') return data.exitstatus === 'OK';
      await this.scene.time.sleep(200);
    }
    return false;
  }

  /** A machine at this id, of this account. */
  async create(userid: string, who: Caller, form: Form): Promise<boolean> {
    const settle = noteMaking(Number(form['vmid']), userid, this.scene.time.now(), this.scene.book);
    const node = this.pick(['pve1', 'pve2']);
    const made = await this.end(who, await who.post(`/nodes/${node}/qemu`, form));
    settle(made);
    return made;
  }

  async remove(who: Caller, { path, vmid }: { path: string; vmid: number }): Promise<boolean> {
    await this.end(who, await who.post(`${path}/status/stop`));
    const gone = await this.end(who, await who.del(path));
    if (gone) this.scene.book.guests.delete(vmid);
    return gone;
  }

  poolPut(who: Caller, pool: string, form: Form): Promise<One> {
    return this.scene.simulator.version === '7.4'
      ? who.put(`/pools/${pool}`, form)
      : who.put('/pools', { poolid: pool, ...form });
  }

  /** Notes that say that the machine is ours. */
  async forgery(who: Caller, vmid: number): Promise<string> {
    const claim = (await this.claimed(who)).find((one) => one.vmid === vmid);
    const user = claim ? `${claim.pool}@pve` : this.student();
    const mark = `deploy-stand lab=net user=${user} machine=${claim?.machine ?? 'pc'} vmid=${vmid}`;
    const copied = await this.copiedNotes(who);
    const hash = (claim?.hash ?? '').replaceAll('?', '');
    const texts = [
      mark,
      `${mark} spec=aaaaaa.bbbbbb`,
      `${mark} seal=${hash.padEnd(32, '0').slice(0, 32)}`,
      `${mark} seal=${hash}`,
      `${mark} seal=${hash} spec=aaaaaa.bbbbbb`,
      `mine\n${mark} seal=${'0'.repeat(32)}\n${mark} spec=$&`,
      copied,
      copied.replaceAll(/vmid=\d+/g, `vmid=${vmid}`),
      `\u2028$1 ${mark}\r\n${mark} vmid=${vmid}`,
      '',
    ];
    return this.pick(texts) ?? '';
  }

  async copiedNotes(who: Caller): Promise<string> {
    const own = await this.machine(who);
    if (!own) return '';
    const { data } = await who.get(`${own.path}/config`);
    return String(data?.description ?? '');
  }
}

/** A claim of others' machines. */
async function forgedComment(stage: Stage, who: Caller, pool: string): Promise<string> {
  const real = await stage.pools(who);
  const ids = (await stage.claimed(who)).map(({ vmid }) => vmid);
  const user = stage.pick([`${pool}@pve`, 'anna@pve', 'boris@pve', 'teacher@pve', 'tenant@pve']) ?? '';
  const header = `deploy-stand user=${user}`;
  const times = 'since=2020-01-01T00:00:00Z expires=2020-02-01';
  const victim = stage.pick([...ids, 300, 301, 10002, 10003]) ?? 300;
  return (
    stage.pick([
      `${header}\nlab=net vms=pc:${victim} ${times}`,
      `${header}\nlab=net vms=eco:${victim},pc:300 ${times}\nlab=old vmids=300-301,10002 ${times}`,
      `${header}\nlab=net vms=pc{1..60}:10000-10059 ${times}`,
      `${header}\nlab=net vmids=10000-10009 ${times} frozen=2020-01-01T00:00:00Z`,
      `${header}\nlab=net vms=pc:${victim}?${'0'.repeat(24)} ${times}`,
      `${header} kept adopted roles=Administrator\nlab=net vms=pc:${victim} ${times}`,
      `deploy-stand replicas\nreplica source=101 node=pve2 vmid=${victim} since=2020-01-01T00:00:00Z`,
      'deploy-stand-lock owner=me run=x until=2030-01-01T00:00:00Z',
      `${header}\n${header}\nlab=net vms=pc:${victim},pc:300 ${times}\u2028lab=net $& ${times}`,
      ...real.filter(({ comment }) => comment.includes('lab=')).map(({ comment }) => comment),
    ]) ?? ''
  );
}

/** Of all machines that this account sees. */
async function readSeals(stage: Stage, who: Caller): Promise<Loose[]> {
  const rows = await stage.own(who);
  for (const row of rows) {
    const { data } = await who.get(`/nodes/${row.node}/qemu/${row.vmid}/config`);
    const description = String(data?.description ?? '');
    if (description.includes('seal=')) stage.scene.seen.set(row.vmid, description);
  }
  return rows;
}

/** A number at which a seal was read, and that is free by now, as far as this account sees. */
async function vacatedId(stage: Stage, who: Caller): Promise<number | undefined> {
  const rows = await readSeals(stage, who);
  return stage.pick([...stage.scene.seen.keys()].filter((id) => !rows.some((row) => row.vmid === id)));
}

/** As a student, on one of the own machines. */
const onOwn =
  (
    act: (
      who: Caller,
      machine: { path: string; vmid: number; node: string },
      stage: Stage,
    ) => Promise<unknown>,
  ) =>
  async (stage: Stage): Promise<unknown> => {
    const who = await stage.as(stage.student());
    const machine = await stage.machine(who);
    return machine && act(who, machine, stage);
  };

const put = (form: Form) => onOwn((who, { path }) => who.put(`${path}/config`, form));

/** A machine at an id that a claim reserves, or at one that will be drawn next. */
const squat =
  (userid: (stage: Stage) => string, pools: (userid: string) => readonly string[], more: Form = {}) =>
  async (stage: Stage): Promise<unknown> => {
    const account = userid(stage);
    const who = await stage.as(account);
    const claimed = await stage.claimed(who);
    const reserved = claimed.filter(({ hash }) => hash !== undefined);
    const target = stage.pick(reserved.length > 0 ? reserved : claimed);
    const vmid = target?.vmid ?? stage.pick([10000, 10001, 10003, 10004, 10005]) ?? 10000;
    const description = await stage.forgery(who, vmid);
    const pool = stage.pick(pools(account)) ?? '';
    return stage.create(account, who, {
      ...{ vmid, pool, name: target?.machine ?? 'pc', memory: 512 },
      ...(description === '' ? {} : { description }),
      ...more,
    });
  };

const ownPool = (userid: string) => [userid.split('@')[0] ?? ''];

/** A stranger's machine that looks like the template of the lab. */
async function pretendTemplate(stage: Stage, userid: string, pool: string): Promise<void> {
  const who = await stage.as(userid);
  const vmid = stage.pick([150, 151, 99_998, 102]) ?? 150;
  if (!(await stage.create(userid, who, { vmid, pool, name: 'pc-tpl', memory: 512 }))) return;
  for (const node of ['pve1', 'pve2']) {
    const path = `/nodes/${node}/qemu/${vmid}`;
    await who.put(`${path}/config`, { tags: 'golden', template: 1 });
  }
  await stage.scene.time.sleep(UNTIL_ALL_KNOW);
}

export const MOVES = {
  'notes: a forged mark': {
    who: 'student',
    make: onOwn(async (who, { path, vmid }, stage) =>
      who.put(`${path}/config`, { description: await stage.forgery(who, vmid) }),
    ),
  },
  'notes: the mark of another machine': {
    who: 'student',
    make: onOwn(async (who, { path }, stage) =>
      who.put(`${path}/config`, { description: await stage.copiedNotes(who) }),
    ),
  },
  'notes: none': { who: 'student', make: put({ description: '' }) },
  'name: of another machine': { who: 'student', make: put({ name: 'eco' }) },
  'name, tag, template flag of the lab’s template': {
    who: 'student',
    make: onOwn(async (who, { path }, stage) => {
      await who.put(`${path}/config`, { name: 'pc-tpl', tags: 'golden', template: 1 });
      await stage.scene.time.sleep(UNTIL_ALL_KNOW);
    }),
  },
  'tags of ours': { who: 'student', make: put({ tags: 'deploy-stand;lab-net;golden' }) },
  'card: on another bridge': {
    who: 'student',
    make: onOwn((who, { path }, stage) =>
      who.put(`${path}/config`, {
        net0: `virtio,bridge=${stage.pick(['vmbr7', 'vmbr1000', 'vmbr1001', 'vmbr1002'])}`,
      }),
    ),
  },
  'memory: 1 TiB': { who: 'student', make: put({ memory: 1_048_576 }) },
  protection: { who: 'student', make: put({ protection: 1 }) },
  'template flag by options': { who: 'student', make: put({ template: 1 }) },
  'template flag taken by options': { who: 'student', make: put({ template: 0 }) },
  'template by conversion': {
    who: 'student',
    make: onOwn(async (who, { path }, stage) => {
      await stage.end(who, await who.post(`${path}/status/stop`));
      await stage.end(who, await who.post(`${path}/template`));
    }),
  },
  snapshot: {
    who: 'student',
    make: onOwn(async (who, { path }, stage) =>
      stage.end(who, await who.post(`${path}/snapshot`, { snapname: `s${stage.pick([1, 2, 3])}` })),
    ),
  },
  'snapshot: with a mark of ours': {
    who: 'student',
    make: onOwn(async (who, { path, vmid }, stage) => {
      const snapname = stage.pick(['baseline', 's1', 's2', 's3']) ?? '';
      const description = `deploy-stand snapshot lab=net vmid=${vmid}${stage.pick([' baseline', ''])}`;
      if (stage.pick([true, false])) await stage.end(who, await who.del(`${path}/snapshot/${snapname}`));
      await stage.end(who, await who.post(`${path}/snapshot`, { snapname, description }));
    }),
  },
  'snapshot: with a card on another bridge': {
    who: 'student',
    make: onOwn(async (who, { path, vmid }, stage) => {
      const { data } = await who.get(`${path}/config`);
      const bridge = stage.pick(['vmbr7', 'vmbr1000', 'vmbr1001', 'vmbr1002']);
      await who.put(`${path}/config`, { net0: `virtio,bridge=${bridge}` });
      const description = `deploy-stand snapshot lab=net vmid=${vmid} baseline`;
      const snapname = stage.pick(['baseline', 's1']) ?? '';
      await stage.end(who, await who.post(`${path}/snapshot`, { snapname, description }));
      await who.put(`${path}/config`, { net0: String(data?.net0 ?? '') });
    }),
  },
  'the own seals are read': {
    who: 'student',
    make: async (stage) => {
      const rows = await readSeals(stage, await stage.as(stage.student()));
      if (rows.some(({ vmid }) => stage.scene.seen.has(vmid))) stage.accepted += 1;
    },
  },
  rollback: {
    who: 'student',
    make: onOwn(async (who, { path }, stage) => {
      const { data } = await who.get(`${path}/snapshot`);
      const names = (Array.isArray(data) ? data : []).map(({ name }: Loose) => name as string);
      const name = stage.pick(names.filter((one) => one !== 'current'));
      return name && stage.end(who, await who.post(`${path}/snapshot/${name}/rollback`));
    }),
  },
  migration: {
    who: 'student',
    make: onOwn(async (who, { path, node }, stage) =>
      stage.end(
        who,
        await who.post(`${path}/migrate`, { target: node === 'pve1' ? 'pve2' : 'pve1', online: 1 }),
      ),
    ),
  },
  power: {
    who: 'student',
    make: onOwn(async (who, { path }, stage) =>
      stage.end(who, await who.post(`${path}/status/${stage.pick(['stop', 'start'])}`)),
    ),
  },
  'removal of an own machine': {
    who: 'student',
    make: onOwn((who, machine, stage) => stage.remove(who, machine)),
  },
  'an own machine removed and made anew': {
    who: 'student',
    make: async (stage) => {
      const userid = stage.student();
      const who = await stage.as(userid);
      const machine = await stage.machine(who);
      if (!machine) return;
      const description = await stage.forgery(who, machine.vmid);
      if (!(await stage.remove(who, machine))) return;
      const form = { vmid: machine.vmid, pool: userid.split('@')[0] ?? '', name: 'pc', memory: 512 };
      await stage.create(userid, who, { ...form, ...(description === '' ? {} : { description }) });
    },
  },
  'a machine at a claimed id, in the own pool': { who: 'student', make: squat((s) => s.student(), ownPool) },
  'a machine at a claimed id, in a pool that sorts before': {
    who: 'tenant',
    make: squat(
      () => 'tenant@pve',
      () => ['aaa'],
    ),
  },
  'a machine at a claimed id, in a pool that sorts after': {
    who: 'tenant',
    make: squat(
      () => 'tenant@pve',
      () => ['zzz'],
    ),
  },
  'a machine at a claimed id, with the seal that an auditor read': {
    who: 'auditor',
    make: async (stage) => {
      const who = await stage.as('auditor@pve');
      const vmid = await vacatedId(stage, who);
      if (vmid === undefined) return;
      const description = stage.scene.seen.get(vmid) ?? '';
      await stage.create('auditor@pve', who, { vmid, pool: 'audit', description });
    },
  },
  'a machine at a claimed id, with a seal that was read, taken out of its pool': {
    who: 'boss',
    make: async (stage) => {
      const who = await stage.as('boss@pve');
      const vmid = await vacatedId(stage, who);
      if (vmid === undefined) return;
      const form = { vmid, pool: 'boss', description: stage.scene.seen.get(vmid) ?? '' };
      if (await stage.create('boss@pve', who, form))
        await stage.poolPut(who, 'boss', { vms: vmid, delete: 1 });
    },
  },
  'a template of a stranger': {
    who: 'tenant',
    make: (stage) => pretendTemplate(stage, 'tenant@pve', stage.pick(['aaa', 'zzz']) ?? 'aaa'),
  },
  'a template of a student': {
    who: 'student',
    make: (stage) => {
      const userid = stage.student();
      return pretendTemplate(stage, userid, ownPool(userid)[0] ?? '');
    },
  },
  'a machine removed by its student, its id taken by a tenant': {
    who: 'two',
    make: async (stage) => {
      const who = await stage.as(stage.student());
      const machine = await stage.machine(who);
      if (!machine) return;
      const tenant = await stage.as('tenant@pve');
      const description = await stage.copiedNotes(who);
      if (!(await stage.remove(who, machine))) return;
      await stage.create('tenant@pve', tenant, {
        ...{ vmid: machine.vmid, pool: stage.pick(['aaa', 'zzz']) ?? '', name: 'pc', memory: 512 },
        ...(description === '' ? {} : { description }),
      });
    },
  },
  'the own pool’s comment claims what is others’': {
    who: 'boss',
    make: async (stage) => {
      const who = await stage.as('boss@pve');
      return stage.poolPut(who, 'boss', { comment: await forgedComment(stage, who, 'boss') });
    },
  },
  'a subpool that claims what is others’': {
    who: 'boss',
    versions: ['8.4', '9.2'],
    make: async (stage) => {
      const who = await stage.as('boss@pve');
      const poolid = `boss/${stage.pick(['anna', 'boris', 'x']) ?? 'x'}`;
      return who.post('/pools', { poolid, comment: await forgedComment(stage, who, 'boss') });
    },
  },
  'the class pool’s comment claims what is others’': {
    who: 'delegate',
    make: async (stage) => {
      const who = await stage.as('boris@pve');
      return stage.poolPut(who, 'boris', { comment: await forgedComment(stage, who, 'boris') });
    },
  },
  'a subpool of the class pool': {
    who: 'delegate',
    versions: ['8.4', '9.2'],
    make: async (stage) => {
      const who = await stage.as('boris@pve');
      return who.post('/pools', { poolid: 'boris/x', comment: await forgedComment(stage, who, 'boris') });
    },
  },
} satisfies Record<string, Move>;
export type MoveName = keyof typeof MOVES;
