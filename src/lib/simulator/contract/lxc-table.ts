/** Parameters and permissions of `/nodes/{node}/lxc`, per version; blocks as in the table of machines. Data only. */
export const lxcTable = String.raw`
GET /nodes/{node}/lxc
  flags: protected on-node
  may: user=all
  use: node
GET /nodes/{node}/lxc/{vmid}/config
  flags: on-node
  may: ["perm","/vms/{vmid}",["VM.Audit"]]
  use: guest
  current? bool
  snapshot? str:pve-configid len=..40
GET /nodes/{node}/lxc/{vmid}/pending
  flags: on-node
  may: ["perm","/vms/{vmid}",["VM.Audit"]]
  use: guest
GET /nodes/{node}/lxc/{vmid}/rrddata
  flags: protected
  may: ["perm","/vms/{vmid}",["VM.Audit"]]
  use: guest
  cf? str enum=AVERAGE|MAX
  timeframe! str enum=hour|day|week|month|year
GET /nodes/{node}/lxc/{vmid}/snapshot
  flags: protected on-node
  may: ["perm","/vms/{vmid}",["VM.Audit"]]
  use: guest
GET /nodes/{node}/lxc/{vmid}/snapshot/{snapname}/config
  flags: on-node
  may: ["perm","/vms/{vmid}",["VM.Snapshot","VM.Snapshot.Rollback","VM.Audit"],"any",1]
  use: guest
  snapname! str:pve-configid len=..40
GET /nodes/{node}/lxc/{vmid}/status/current
  flags: protected on-node
  may: ["perm","/vms/{vmid}",["VM.Audit"]]
  use: guest
POST /nodes/{node}/lxc/{vmid}/status/start
  flags: protected on-node task
  may: ["perm","/vms/{vmid}",["VM.PowerMgmt"]]
  use: guest
  debug? bool
  skiplock? bool
POST /nodes/{node}/lxc/{vmid}/status/stop
  flags: protected on-node task
  may: ["perm","/vms/{vmid}",["VM.PowerMgmt"]]
  use: guest
  [89] overrule-shutdown? bool
  skiplock? bool
POST /nodes/{node}/lxc/{vmid}/status/shutdown
  flags: protected on-node task
  may: ["perm","/vms/{vmid}",["VM.PowerMgmt"]]
  use: guest
  forceStop? bool
  timeout? int range=0..
POST /nodes/{node}/lxc/{vmid}/status/reboot
  flags: protected on-node task
  may: ["perm","/vms/{vmid}",["VM.PowerMgmt"]]
  use: guest
  timeout? int range=0..
POST /nodes/{node}/lxc/{vmid}/status/suspend
  flags: protected on-node task
  may: ["perm","/vms/{vmid}",["VM.PowerMgmt"]]
  use: guest
POST /nodes/{node}/lxc/{vmid}/status/resume
  flags: protected on-node task
  may: ["perm","/vms/{vmid}",["VM.PowerMgmt"]]
  use: guest
POST /nodes/{node}/lxc/{vmid}/migrate
  flags: protected on-node task
  may: ["perm","/vms/{vmid}",["VM.Migrate"]]
  use: guest
  bwlimit? num range=0..
  online? bool
  restart? bool
  target! str:pve-node
  target-storage? str:storage-pair-list
  timeout? int
`;
