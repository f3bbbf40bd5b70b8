/** Parameters and permissions of `/cluster/ha`, per version. Data only. */
export const haTable = String.raw`
block ha-group
  comment? str len=..4096
  group! str:pve-configid
  nofailback? bool
  restricted? bool
block ha-digest
  [7] digest? str len=..40
  [89] digest? str len=..64
block ha-resource
  [9] auto-rebalance? bool
  comment? str len=..4096
  [9] failback? bool
  group? str:pve-configid
  max_relocate? int range=0..
  max_restart? int range=0..
  sid! str:pve-ha-resource-or-vm-id
  state? str enum=started|stopped|enabled|disabled|ignored
block ha-rule
  affinity? str enum=positive|negative
  comment? str len=..4096
  disable? bool
  nodes? str:pve-ha-node-list
  rule! str:pve-configid
  strict? bool
  type! str enum=node-affinity|resource-affinity
GET /cluster/ha/status/manager_status
  may: ["perm","/",["Sys.Audit"]]
GET /cluster/ha/status/current
  may: ["perm","/",["Sys.Audit"]]
GET /cluster/ha/resources
  may: ["perm","/",["Sys.Audit"]]
  type? str enum=ct|vm
POST /cluster/ha/resources
  flags: protected
  may: ["perm","/",["Sys.Console"]]
  use: ha-resource
  type? str enum=ct|vm
GET /cluster/ha/resources/{sid}
  may: ["perm","/",["Sys.Audit"]]
  sid! str:pve-ha-resource-or-vm-id
PUT /cluster/ha/resources/{sid}
  flags: protected
  may: ["perm","/",["Sys.Console"]]
  use: ha-resource
  delete? str:pve-configid-list len=..4096
  use: ha-digest
DELETE /cluster/ha/resources/{sid}
  flags: protected
  may: ["perm","/",["Sys.Console"]]
  [9] purge? bool
  sid! str:pve-ha-resource-or-vm-id
GET /cluster/ha/groups
  may: ["perm","/",["Sys.Audit"]]
POST /cluster/ha/groups
  flags: protected
  may: ["perm","/",["Sys.Console"]]
  use: ha-group
  [78] nodes! str:pve-ha-group-node-list
  [9] nodes! str:pve-ha-node-list
  type? str enum=group
GET /cluster/ha/groups/{group}
  may: ["perm","/",["Sys.Audit"]]
  group! str:pve-configid
PUT /cluster/ha/groups/{group}
  flags: protected
  may: ["perm","/",["Sys.Console"]]
  use: ha-group
  [78] nodes? str:pve-ha-group-node-list
  [9] nodes? str:pve-ha-node-list
  delete? str:pve-configid-list len=..4096
  use: ha-digest
DELETE /cluster/ha/groups/{group}
  flags: protected
  may: ["perm","/",["Sys.Console"]]
  group! str:pve-configid
GET /cluster/ha/rules [9]
  may: ["perm","/",["Sys.Audit"]]
  resource? str
  type? str enum=node-affinity|resource-affinity
POST /cluster/ha/rules [9]
  flags: protected
  may: ["perm","/",["Sys.Console"]]
  use: ha-rule
  resources! str:pve-ha-resource-id-list
GET /cluster/ha/rules/{rule} [9]
  may: ["perm","/",["Sys.Audit"]]
  rule! str:pve-configid
PUT /cluster/ha/rules/{rule} [9]
  flags: protected
  may: ["perm","/",["Sys.Console"]]
  use: ha-rule
  resources? str:pve-ha-resource-id-list
  delete? str:pve-configid-list len=..4096
  use: ha-digest
DELETE /cluster/ha/rules/{rule} [9]
  flags: protected
  may: ["perm","/",["Sys.Console"]]
  rule! str:pve-configid
`;
