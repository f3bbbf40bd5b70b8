/** Parameters and permissions of `/nodes/{node}/qemu`, per version. Data only. */
export const qemuTable = String.raw`
block guest
  node! str:pve-node
  [7] vmid! int:pve-vmid range=1..
  [89] vmid! int:pve-vmid range=100..999999999
block qemu-config
  acpi? bool
  affinity? str:pve-cpuset
  agent? str:$agent
  [9] allow-ksm? bool
  [89] amd-sev? str:pve-qemu-sev-fmt
  arch? str enum=x86_64|aarch64
  args? str
  audio0? str:$audio
  autostart? bool
  balloon? int range=0..
  bios? str enum=seabios|ovmf
  boot? str:pve-qm-boot
  bootdisk? str:pve-qm-bootdisk pattern=(ide|sata|scsi|virtio)\d+
  cdrom? str:pve-qm-ide
  cicustom? str:pve-qm-cicustom
  cipassword? str
  citype? str enum=configdrive2|nocloud|opennebula
  [89] ciupgrade? bool
  ciuser? str
  cores? int range=1..
  cpu? str:pve-vm-cpu-conf
  cpulimit? num range=0..128
  cpuunits? int range=1..262144
  description? str len=..8192
  efidisk0? str:$efidisk
  freeze? bool
  hookscript? str:pve-volume-id
  hostpci[n]? str:pve-qm-hostpci
  hotplug? str:pve-hotplug-features
  hugepages? str enum=any|2|1024
  ide[n]? str:$ide
  [9] intel-tdx? str:pve-qemu-tdx-fmt
  ipconfig[n]? str:pve-qm-ipconfig
  ivshmem? str:$ivshmem
  keephugepages? bool
  keyboard? str enum=de|de-ch|da|en-gb|en-us|es|fi|fr|fr-be|fr-ca|fr-ch|hu|is|it|ja|lt|mk|nl|no|pl|pt|pt-br|sv|sl|tr
  kvm? bool
  localtime? bool
  lock? str enum=backup|clone|create|migrate|rollback|snapshot|snapshot-delete|suspending|suspended
  [7] machine? str len=..40 pattern=(pc|pc(-i440fx)?-\d+(\.\d+)+(\+pve\d+)?(\.pxe)?|q35|pc-q35-\d+(\.\d+)+(\+pve\d+)?(\.pxe)?|virt(?:-\d+(\.\d+)+)?(\+pve\d+)?)
  [89] machine? str:$machine
  [7] memory? int range=16..
  [89] memory? str:$memory
  migrate_downtime? num range=0..
  migrate_speed? int range=0..
  name? str:dns-name
  nameserver? str:address-list
  net[n]? str:$net
  numa? bool
  numa[n]? str:$numa
  onboot? bool
  ostype? str enum=other|wxp|w2k|w2k3|w2k8|wvista|win7|win8|win10|win11|l24|l26|solaris
  parallel[n]? str pattern=/dev/parport\d+|/dev/usb/lp\d+
  protection? bool
  reboot? bool
  [7] rng0? str:$rng
  [89] rng0? str:pve-qm-rng
  sata[n]? str:$sata
  scsi[n]? str:$scsi
  scsihw? str enum=lsi|lsi53c810|virtio-scsi-pci|virtio-scsi-single|megasas|pvscsi
  searchdomain? str
  [78] serial[n]? str pattern=(/dev/.+|socket)
  [9] serial[n]? str pattern=(/dev/[^,]+|socket)
  shares? int range=0..50000
  smbios1? str:pve-qm-smbios1 len=..512
  smp? int range=1..
  sockets? int range=1..
  spice_enhancements? str:$spice_enhancements
  sshkeys? str:urlencoded
  startdate? str pattern=(now|\d{4}-\d{1,2}-\d{1,2}(T\d{1,2}:\d{1,2}:\d{1,2})?)
  startup? str:pve-startup-order
  tablet? bool
  tags? str:pve-tag-list
  tdf? bool
  template? bool
  tpmstate0? str:$tpmstate
  unused[n]? str:$unused
  usb[n]? str:$usb
  vcpus? int range=1..
  vga? str:$vga
  virtio[n]? str:$virtio
  [89] virtiofs[n]? str:$virtiofs
  vmgenid? str pattern=(?:[a-fA-F0-9]{8}(?:-[a-fA-F0-9]{4}){3}-[a-fA-F0-9]{12}|[01])
  vmstatestorage? str:pve-storage-id
  watchdog? str:pve-qm-watchdog
GET /nodes/{node}/qemu
  flags: protected on-node
  may: user=all
  use: node
  full? bool
POST /nodes/{node}/qemu
  flags: protected on-node task
  may: user=all
  use: guest
  use: qemu-config
  archive? str len=..255
  bwlimit? int range=0..
  force? bool requires=archive
  [9] ha-managed? bool
  [89] import-working-storage? str:pve-storage-id
  [7] live-restore? bool requires=archive
  [89] live-restore? bool
  pool? str:pve-poolid
  start? bool
  storage? str:pve-storage-id
  unique? bool requires=archive
DELETE /nodes/{node}/qemu/{vmid}
  flags: protected on-node task
  may: ["perm","/vms/{vmid}",["VM.Allocate"]]
  use: guest
  destroy-unreferenced-disks? bool
  purge? bool
  skiplock? bool
GET /nodes/{node}/qemu/{vmid}/config
  flags: on-node
  may: ["perm","/vms/{vmid}",["VM.Audit"]]
  use: guest
  current? bool
  snapshot? str:pve-configid len=..40
PUT /nodes/{node}/qemu/{vmid}/config
  flags: protected on-node
  may: ["perm","/vms/{vmid}",["VM.Config.Disk","VM.Config.CDROM","VM.Config.CPU","VM.Config.Memory","VM.Config.Network","VM.Config.HWType","VM.Config.Options","VM.Config.Cloudinit"],"any",1]
  use: guest
  use: qemu-config
  delete? str:pve-configid-list
  digest? str len=..40
  force? bool requires=delete
  revert? str:pve-configid-list
  skiplock? bool
POST /nodes/{node}/qemu/{vmid}/config
  flags: protected on-node task
  may: ["perm","/vms/{vmid}",["VM.Config.Disk","VM.Config.CDROM","VM.Config.CPU","VM.Config.Memory","VM.Config.Network","VM.Config.HWType","VM.Config.Options","VM.Config.Cloudinit"],"any",1]
  use: guest
  use: qemu-config
  background_delay? int range=1..30
  delete? str:pve-configid-list
  digest? str len=..40
  force? bool requires=delete
  [89] import-working-storage? str:pve-storage-id
  revert? str:pve-configid-list
  skiplock? bool
GET /nodes/{node}/qemu/{vmid}/pending
  flags: on-node
  may: ["perm","/vms/{vmid}",["VM.Audit"]]
  use: guest
POST /nodes/{node}/qemu/{vmid}/clone
  flags: protected on-node task
  may: ["and",["perm","/vms/{vmid}",["VM.Clone"]],["or",["perm","/vms/{newid}",["VM.Allocate"]],["perm","/pool/{pool}",["VM.Allocate"],"require_param","pool"]]]
  use: guest
  bwlimit? int range=0..
  description? str
  format? str enum=raw|qcow2|vmdk
  full? bool
  name? str:dns-name
  [7] newid! int:pve-vmid range=1..
  [89] newid! int:pve-vmid range=100..999999999
  pool? str:pve-poolid
  snapname? str:pve-configid len=..40
  storage? str:pve-storage-id
  target? str:pve-node
POST /nodes/{node}/qemu/{vmid}/template
  flags: protected on-node task
  may: ["perm","/vms/{vmid}",["VM.Allocate"]]
  use: guest
  disk? str enum=ide[0-3]|scsi[0-30]|virtio[0-15]|sata[0-5]|efidisk0|tpmstate0
PUT /nodes/{node}/qemu/{vmid}/resize
  [7] flags: protected on-node
  [89] flags: protected on-node task
  may: ["perm","/vms/{vmid}",["VM.Config.Disk"]]
  use: guest
  digest? str len=..40
  disk! str enum=ide[0-3]|scsi[0-30]|virtio[0-15]|sata[0-5]|efidisk0|tpmstate0
  size! str pattern=\+?\d+(\.\d+)?[KMGT]?
  skiplock? bool
PUT /nodes/{node}/qemu/{vmid}/unlink
  flags: protected on-node
  may: ["perm","/vms/{vmid}",["VM.Config.Disk"]]
  use: guest
  force? bool
  idlist! str:pve-configid-list
POST /nodes/{node}/qemu/{vmid}/move_disk
  flags: protected on-node task
  may: ["perm","/vms/{vmid}",["VM.Config.Disk"]]
  use: guest
  bwlimit? int range=0..
  delete? bool
  digest? str len=..40
  disk! str enum=ide[0-3]|scsi[0-30]|virtio[0-15]|sata[0-5]|efidisk0|tpmstate0|unused[0-255]
  format? str enum=raw|qcow2|vmdk
  storage? str:pve-storage-id
  target-digest? str len=..40
  target-disk? str enum=ide[0-3]|scsi[0-30]|virtio[0-15]|sata[0-5]|efidisk0|tpmstate0|unused[0-255]
  [7] target-vmid? int:pve-vmid range=1..
  [89] target-vmid? int:pve-vmid range=100..999999999
GET /nodes/{node}/qemu/{vmid}/feature
  flags: protected on-node
  may: ["perm","/vms/{vmid}",["VM.Audit"]]
  use: guest
  feature! str enum=snapshot|clone|copy
  snapname? str:pve-configid len=..40
GET /nodes/{node}/qemu/{vmid}/status/current
  flags: protected on-node
  may: ["perm","/vms/{vmid}",["VM.Audit"]]
  use: guest
POST /nodes/{node}/qemu/{vmid}/status/start
  flags: protected on-node task
  may: ["perm","/vms/{vmid}",["VM.PowerMgmt"]]
  use: guest
  force-cpu? str
  [7] machine? str len=..40 pattern=(pc|pc(-i440fx)?-\d+(\.\d+)+(\+pve\d+)?(\.pxe)?|q35|pc-q35-\d+(\.\d+)+(\+pve\d+)?(\.pxe)?|virt(?:-\d+(\.\d+)+)?(\+pve\d+)?)
  [89] machine? str:$machine
  migratedfrom? str:pve-node
  migration_network? str:CIDR
  migration_type? str enum=secure|insecure
  [9] nets-host-mtu? str pattern=net\d+=\d+(,net\d+=\d+)*
  skiplock? bool
  stateuri? str len=..128
  targetstorage? str:storage-pair-list
  timeout? int range=0..
  [9] with-conntrack-state? bool
POST /nodes/{node}/qemu/{vmid}/status/stop
  flags: protected on-node task
  may: ["perm","/vms/{vmid}",["VM.PowerMgmt"]]
  use: guest
  keepActive? bool
  migratedfrom? str:pve-node
  [89] overrule-shutdown? bool
  skiplock? bool
  timeout? int range=0..
POST /nodes/{node}/qemu/{vmid}/status/shutdown
  flags: protected on-node task
  may: ["perm","/vms/{vmid}",["VM.PowerMgmt"]]
  use: guest
  forceStop? bool
  keepActive? bool
  skiplock? bool
  timeout? int range=0..
POST /nodes/{node}/qemu/{vmid}/status/reboot
  flags: protected on-node task
  may: ["perm","/vms/{vmid}",["VM.PowerMgmt"]]
  use: guest
  timeout? int range=0..
POST /nodes/{node}/qemu/{vmid}/status/reset
  flags: protected on-node task
  may: ["perm","/vms/{vmid}",["VM.PowerMgmt"]]
  use: guest
  skiplock? bool
POST /nodes/{node}/qemu/{vmid}/status/suspend
  flags: protected on-node task
  may: ["perm","/vms/{vmid}",["VM.PowerMgmt"]]
  use: guest
  skiplock? bool
  statestorage? str:pve-storage-id requires=todisk
  todisk? bool
POST /nodes/{node}/qemu/{vmid}/status/resume
  flags: protected on-node task
  may: ["perm","/vms/{vmid}",["VM.PowerMgmt"]]
  use: guest
  nocheck? bool
  skiplock? bool
GET /nodes/{node}/qemu/{vmid}/snapshot
  flags: protected on-node
  may: ["perm","/vms/{vmid}",["VM.Audit"]]
  use: guest
POST /nodes/{node}/qemu/{vmid}/snapshot
  flags: protected on-node task
  may: ["perm","/vms/{vmid}",["VM.Snapshot"]]
  use: guest
  description? str
  snapname! str:pve-configid len=..40
  vmstate? bool
GET /nodes/{node}/qemu/{vmid}/snapshot/{snapname}
  may: user=all
  use: guest
  snapname! str:pve-configid len=..40
PUT /nodes/{node}/qemu/{vmid}/snapshot/{snapname}/config
  flags: protected on-node
  may: ["perm","/vms/{vmid}",["VM.Snapshot"]]
  use: guest
  description? str
  snapname! str:pve-configid len=..40
GET /nodes/{node}/qemu/{vmid}/snapshot/{snapname}/config
  flags: on-node
  may: ["perm","/vms/{vmid}",["VM.Snapshot","VM.Snapshot.Rollback","VM.Audit"],"any",1]
  use: guest
  snapname! str:pve-configid len=..40
DELETE /nodes/{node}/qemu/{vmid}/snapshot/{snapname}
  flags: protected on-node task
  may: ["perm","/vms/{vmid}",["VM.Snapshot"]]
  use: guest
  force? bool
  snapname! str:pve-configid len=..40
POST /nodes/{node}/qemu/{vmid}/snapshot/{snapname}/rollback
  flags: protected on-node task
  may: ["perm","/vms/{vmid}",["VM.Snapshot","VM.Snapshot.Rollback"],"any",1]
  use: guest
  snapname! str:pve-configid len=..40
  start? bool
GET /nodes/{node}/qemu/{vmid}/migrate
  flags: protected on-node
  may: ["perm","/vms/{vmid}",["VM.Migrate"]]
  use: guest
  target? str:pve-node
POST /nodes/{node}/qemu/{vmid}/migrate
  flags: protected on-node task
  may: ["perm","/vms/{vmid}",["VM.Migrate"]]
  use: guest
  bwlimit? int range=0..
  force? bool
  migration_network? str:CIDR
  migration_type? str enum=secure|insecure
  online? bool
  target! str:pve-node
  targetstorage? str:storage-pair-list
  [9] with-conntrack-state? bool
  with-local-disks? bool
POST /nodes/{node}/qemu/{vmid}/agent/ping
  flags: protected on-node
  [78] may: ["perm","/vms/{vmid}",["VM.Monitor"]]
  [9] may: ["perm","/vms/{vmid}",["VM.GuestAgent.Audit","VM.GuestAgent.Unrestricted"],"any",1]
  use: guest
GET /nodes/{node}/qemu/{vmid}/agent/network-get-interfaces
  flags: protected on-node
  [78] may: ["perm","/vms/{vmid}",["VM.Monitor"]]
  [9] may: ["perm","/vms/{vmid}",["VM.GuestAgent.Audit","VM.GuestAgent.Unrestricted"],"any",1]
  use: guest
GET /nodes/{node}/qemu/{vmid}/agent/get-osinfo
  flags: protected on-node
  [78] may: ["perm","/vms/{vmid}",["VM.Monitor"]]
  [9] may: ["perm","/vms/{vmid}",["VM.GuestAgent.Audit","VM.GuestAgent.Unrestricted"],"any",1]
  use: guest
GET /nodes/{node}/qemu/{vmid}/agent/get-host-name
  flags: protected on-node
  [78] may: ["perm","/vms/{vmid}",["VM.Monitor"]]
  [9] may: ["perm","/vms/{vmid}",["VM.GuestAgent.Audit","VM.GuestAgent.Unrestricted"],"any",1]
  use: guest
POST /nodes/{node}/qemu/{vmid}/agent/exec
  flags: protected on-node
  [78] may: ["perm","/vms/{vmid}",["VM.Monitor"]]
  [9] may: ["perm","/vms/{vmid}",["VM.GuestAgent.Unrestricted"]]
  use: guest
  [7] command? str:string-alist
  [89] command! array
  input-data? str len=..65536
GET /nodes/{node}/qemu/{vmid}/agent/exec-status
  flags: protected on-node
  [78] may: ["perm","/vms/{vmid}",["VM.Monitor"]]
  [9] may: ["perm","/vms/{vmid}",["VM.GuestAgent.Unrestricted"]]
  use: guest
  pid! int
`;
