import { expect, test } from 'vitest';
import type { ReplicaRow, TemplateReport, TemplateRow } from '../../src/lib/plan/templates/view.ts';
import { renderTemplates, toTemplatesDocument } from '../../src/lib/render/templates-text.ts';

const replica = (vmid: number, node: string, more: Partial<ReplicaRow> = {}): ReplicaRow => ({
  vmid,
  node,
  state: 'fresh',
  clones: [],
  since: '2026-11-01T00:00:00Z',
  ...more,
});

const debian: TemplateRow = {
  vmid: 101,
  name: 'debian',
  node: 'pve1',
  storages: [{ storage: 'zfs', type: 'zfspool', shared: false }],
  fullOnly: false,
  linkedClones: 4,
  replicas: [
    replica(99999, 'pve2', { clones: [10001, 10002] }),
    replica(99998, 'pve2', { state: 'stale', clones: [10003] }),
    replica(99997, 'pve3', { state: 'unfinished' }),
  ],
  usable: [
    { node: 'pve1', by: 'template', vmid: 101 },
    { node: 'pve2', by: 'replica', vmid: 99999 },
    { node: 'pve3', by: 'new-replica' },
    { node: 'pve4', by: 'none', reason: 'node pve4 is offline' },
  ],
};

const tools: TemplateRow = {
  vmid: 102,
  name: 'tools',
  node: 'pve1',
  storages: [{ storage: 'nfs', type: 'nfs', shared: true }],
  fullOnly: true,
  linkedClones: null,
  replicas: [replica(99996, 'pve1')],
  usable: [
    { node: 'pve1', by: 'template', vmid: 102 },
    { node: 'pve2', by: 'replica', vmid: 99996 },
    { node: 'pve3', by: 'template', vmid: 102 },
  ],
};

const report: TemplateReport = {
  templates: [debian, tools],
  orphans: [replica(99990, 'pve2', { state: 'unknown', clones: [10009] })],
  notes: [],
};

test('one line per node, one more for each further replica there, and why a node is left out', () => {
  expect(renderTemplates(report, { width: Infinity, color: false })).toMatchInlineSnapshot(`
    "VMID  TEMPLATE  STORAGE                              NODE  CLONED FROM            REPLICA  STATE       LINKED CLONES
    101   debian    zfs (zfspool)                        pve1  the template                                4
                                                         pve2  a replica              99999    fresh       2
                                                                                      99998    stale       1
                                                         pve3  a replica to be made   99997    unfinished  0
                                                         pve4  nothing: see below
    102   tools     nfs (nfs, shared), full clones only  pve1  the template                                ?
                                                                                      99996    fresh       0
                                                         pve2  replica 99996 on pve1
                                                         pve3  the template on pve1

    note: 101 cannot be used on pve4: node pve4 is offline
    note: replica 99990 on pve2 is of a template that is gone; 1 linked clone

    2 templates, 5 replicas (1 stale)"
  `);
  expect(JSON.parse(JSON.stringify(toTemplatesDocument(report)))).toEqual(report);
});
