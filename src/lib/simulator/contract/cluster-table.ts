/** Parameters and permissions of `/cluster`, `/pools`, `/storage` and the roots, per version. Data only. */
export const clusterTable = String.raw`
GET /version
  may: user=all
GET /pools
  may: user=all
  [89] poolid? str:pve-poolid
  [89] type? str enum=qemu|lxc|storage requires=poolid
POST /pools
  flags: protected
  may: ["perm","/pool/{poolid}",["Pool.Allocate"]]
  comment? str
  poolid! str:pve-poolid
PUT /pools [89]
  flags: protected
  may: ["perm","/pool/{poolid}",["Pool.Allocate"]]
  allow-move? bool
  comment? str
  delete? bool
  poolid! str:pve-poolid
  storage? str:pve-storage-id-list
  vms? str:pve-vmid-list
DELETE /pools [89]
  flags: protected
  may: ["perm","/pool/{poolid}",["Pool.Allocate"]]
  poolid! str:pve-poolid
GET /pools/{poolid}
  may: ["perm","/pool/{poolid}",["Pool.Audit"]]
  poolid! str:pve-poolid
  type? str enum=qemu|lxc|storage
PUT /pools/{poolid}
  flags: protected
  may: ["perm","/pool/{poolid}",["Pool.Allocate"]]
  [89] allow-move? bool
  comment? str
  delete? bool
  poolid! str:pve-poolid
  storage? str:pve-storage-id-list
  vms? str:pve-vmid-list
DELETE /pools/{poolid}
  flags: protected
  may: ["perm","/pool/{poolid}",["Pool.Allocate"]]
  poolid! str:pve-poolid
GET /cluster/resources
  may: user=all
  type? str enum=vm|storage|node|sdn
GET /cluster/nextid
  may: user=all
  [7] vmid? int:pve-vmid range=1..
  [89] vmid? int:pve-vmid range=100..999999999
GET /cluster/status
  flags: protected
  may: ["perm","/",["Sys.Audit"]]
GET /cluster/options
  may: user=all
GET /cluster/tasks
  may: user=all
GET /cluster/metrics/export [89]
  [8] flags: protected
  may: ["perm","/",["Sys.Audit"]]
  history? bool
  local-only? bool
  [9] node-list? str
  start-time? int
GET /cluster/mapping/pci [89]
  may: user=all
  check-node? str:pve-node
GET /cluster/mapping/usb [89]
  may: user=all
  check-node? str:pve-node
GET /cluster/mapping/dir [89]
  may: user=all
  check-node? str:pve-node
GET /nodes
  may: user=all
GET /storage
  may: user=all
  [7] type? str enum=btrfs|cephfs|cifs|dir|glusterfs|iscsi|iscsidirect|lvm|lvmthin|nfs|pbs|rbd|zfs|zfspool
  [8] type? str enum=btrfs|cephfs|cifs|dir|esxi|glusterfs|iscsi|iscsidirect|lvm|lvmthin|nfs|pbs|rbd|zfs|zfspool
  [9] type? str enum=btrfs|cephfs|cifs|dir|esxi|iscsi|iscsidirect|lvm|lvmthin|nfs|pbs|rbd|zfs|zfspool
GET /storage/{storage}
  may: ["perm","/storage/{storage}",["Datastore.Allocate"]]
  storage! str:pve-storage-id
`;
