/** Other people at a simulated cluster, with requests of their own, and a folder from which the class is run beside them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Caller, toServer } from '../simulator/harness.ts';
import { runCli, workFolder, writeFiles, type Cluster, type RunOutcome } from './harness.ts';

/** Waits on the cluster's own time. */
const callerOf = (cluster: Cluster, token: string): Caller =>
  new Caller(toServer(cluster), { Authorization: `PVEAPIToken=${token}` }, (ms) => cluster.time.sleep(ms));

export const admin = (cluster: Cluster): Caller =>
  callerOf(cluster, `${cluster.credentials.tokenId}=${cluster.credentials.secret}`);

/** Somebody who is known to the cluster, by a token with all the own rights. */
export async function person(cluster: Cluster, userid: string): Promise<Caller> {
  const id = `own${cluster.requests.length}`;
  const path = `/access/users/${encodeURIComponent(userid)}/token/${id}`;
  const { value } = (await admin(cluster).ok('POST', path, { privsep: 0 })) as { value: string };
  return callerOf(cluster, `${userid}!${id}=${value}`);
}

export interface Room {
  readonly run: (cluster: Cluster, command: string, env?: Record<string, string>) => Promise<RunOutcome>;
  readonly write: (files: Readonly<Record<string, string>>) => void;
  readonly read: (name: string) => string;
}

/** `@name` in a command is a file of the folder. */
export function room(files: Readonly<Record<string, string>>): Room {
  const folder = workFolder();
  writeFiles(folder, files);
  const run: Room['run'] = (cluster, command, env = {}) => {
    const words = command.split(' ').map((word) => word.replace(/^@/, `${folder}/`));
    const own = /^(--wide )?(deploy|cleanup|users)/.test(command)
      ? ['--credentials', join(folder, 'c.csv')]
      : [];
    return runCli([...words, ...own], cluster, { env });
  };
  return {
    run,
    write: (more) => writeFiles(folder, more),
    read: (name) => readFileSync(join(folder, name), 'utf8'),
  };
}

/** Comments of pools are written under another address since 8.1. */
export const putPool = (who: Caller, version: string, pool: string, form: Record<string, string | number>) =>
  version === '7.4' ? who.put(`/pools/${pool}`, form) : who.put('/pools', { poolid: pool, ...form });
