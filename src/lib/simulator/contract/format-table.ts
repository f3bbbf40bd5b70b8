/** Property strings (`net0: virtio=…,bridge=…`) of the guest configuration, per version. Data only. */
export const formatTable = String.raw`
block drive
  aio? str enum=native|threads|io_uring
  backup? bool
  bps? int
  bps_max_length? int range=1..
  bps_rd? int
  bps_rd_length? str alias=bps_rd_max_length
  bps_rd_max_length? int range=1..
  bps_wr? int
  bps_wr_length? str alias=bps_wr_max_length
  bps_wr_max_length? int range=1..
  cache? str enum=none|writethrough|writeback|unsafe|directsync
  [78] cyls? int
  detect_zeroes? bool
  discard? str enum=ignore|on
  file! str:pve-volume-id-or-qm-path default_key
  [7] format? str enum=raw|cow|qcow|qed|qcow2|vmdk|cloop
  [89] format? str enum=raw|qcow|qed|qcow2|vmdk|cloop
  [78] heads? int
  import-from? str:pve-volume-id-or-absolute-path
  iops? int
  iops_max? int
  iops_max_length? int range=1..
  iops_rd? int
  iops_rd_length? str alias=iops_rd_max_length
  iops_rd_max? int
  iops_rd_max_length? int range=1..
  iops_wr? int
  iops_wr_length? str alias=iops_wr_max_length
  iops_wr_max? int
  iops_wr_max_length? int range=1..
  mbps? num
  mbps_max? num
  mbps_rd? num
  mbps_rd_max? num
  mbps_wr? num
  mbps_wr_max? num
  media? str enum=cdrom|disk
  replicate? bool
  rerror? str enum=ignore|report|stop
  [78] secs? int
  serial? str:urlencoded len=..60
  shared? bool
  size? str:disk-size
  snapshot? bool
  [78] trans? str enum=none|lba|auto
  volume? str alias=file
  werror? str enum=enospc|ignore|report|stop
format $agent
  enabled! bool default_key
  [9] freeze-fs? bool
  [78] freeze-fs-on-backup? bool
  [9] freeze-fs-on-backup? str alias=freeze-fs
  fstrim_cloned_disks? bool
  [9] guest-fsfreeze? str alias=freeze-fs
  type? str enum=virtio|isa
format $audio
  device! str enum=ich9-intel-hda|intel-hda|AC97
  driver? str enum=spice|none
format $efidisk
  efitype? str enum=2m|4m
  file! str:pve-volume-id-or-qm-path default_key
  [7] format? str enum=raw|cow|qcow|qed|qcow2|vmdk|cloop
  [89] format? str enum=raw|qcow|qed|qcow2|vmdk|cloop
  import-from? str:pve-volume-id-or-absolute-path
  [9] ms-cert? str enum=2011|2023|2023w|2023k
  pre-enrolled-keys? bool
  size? str:disk-size
  volume? str alias=file
format $ide
  use: drive
  model? str:urlencoded len=..120
  ssd? bool
  wwn? str pattern=(?:^(0x)[0-9a-fA-F]{16})
format $ivshmem
  name? str pattern=[a-zA-Z0-9\-]+
  size! int range=1..
format $net
  bridge? str:pve-bridge-id
  e1000? str alias=macaddr keyAlias=model
  e1000-82540em? str alias=macaddr keyAlias=model
  e1000-82544gc? str alias=macaddr keyAlias=model
  e1000-82545em? str alias=macaddr keyAlias=model
  e1000e? str alias=macaddr keyAlias=model
  firewall? bool
  i82551? str alias=macaddr keyAlias=model
  i82557b? str alias=macaddr keyAlias=model
  i82559er? str alias=macaddr keyAlias=model
  link_down? bool
  macaddr? str:mac-addr
  model! str enum=e1000|e1000-82540em|e1000-82544gc|e1000-82545em|e1000e|i82551|i82557b|i82559er|ne2k_isa|ne2k_pci|pcnet|rtl8139|virtio|vmxnet3 default_key
  mtu? int range=1..65520
  ne2k_isa? str alias=macaddr keyAlias=model
  ne2k_pci? str alias=macaddr keyAlias=model
  pcnet? str alias=macaddr keyAlias=model
  queues? int range=0..64
  rate? num range=0..
  rtl8139? str alias=macaddr keyAlias=model
  tag? int range=1..4094
  trunks? str pattern=(?:\d+(?:-\d+)?(?:;\d+(?:-\d+)?)*)
  virtio? str alias=macaddr keyAlias=model
  vmxnet3? str alias=macaddr keyAlias=model
format $numa
  cpus! str pattern=(?:\d+(?:-\d+)?(?:;\d+(?:-\d+)?)*)
  hostnodes? str pattern=(?:\d+(?:-\d+)?(?:;\d+(?:-\d+)?)*)
  memory? num
  policy? str enum=preferred|bind|interleave
format $rng [7]
  max_bytes? int
  period? int
  source! str enum=/dev/urandom|/dev/random|/dev/hwrng default_key
format $sata
  use: drive
  ssd? bool
  wwn? str pattern=(?:^(0x)[0-9a-fA-F]{16})
format $scsi
  use: drive
  iothread? bool
  [89] product? str pattern=[A-Za-z0-9\-_\s]{,16}
  queues? int range=2..
  ro? bool
  scsiblock? bool
  ssd? bool
  [89] vendor? str pattern=[A-Za-z0-9\-_\s]{,8}
  wwn? str pattern=(?:^(0x)[0-9a-fA-F]{16})
format $spice_enhancements
  foldersharing? bool
  videostreaming? str enum=off|all|filter
format $tpmstate
  file! str:pve-volume-id-or-qm-path default_key
  [9] format? str enum=raw|qcow2|vmdk
  import-from? str:pve-volume-id-or-absolute-path
  size? str:disk-size
  version? str enum=v1.2|v2.0
  volume? str alias=file
format $unused
  file! str:pve-volume-id default_key
  volume? str alias=file
format $usb
  [7] host! str:pve-qm-usb-device default_key
  [89] host? str default_key pattern=(?:(?:(?:(?:(0x)?([0-9A-Fa-f]{4}):(0x)?([0-9A-Fa-f]{4})))|(?:(?:(\d+)\-(\d+(\.\d+)*)))|[Ss][Pp][Ii][Cc][Ee]))
  [89] mapping? str:pve-configid
  usb3? bool
format $vga
  [89] clipboard? str enum=vnc
  memory? int range=4..512
  type? str enum=cirrus|qxl|qxl2|qxl3|qxl4|none|serial0|serial1|serial2|serial3|std|virtio|virtio-gl|vmware default_key
format $virtio
  use: drive
  iothread? bool
  ro? bool
format $machine [89]
  [9] aw-bits? num range=32..64
  enable-s3? bool
  enable-s4? bool
  type? str len=..40 default_key pattern=(pc|pc(-i440fx)?-\d+(\.\d+)+(\+pve\d+)?(\.pxe)?|q35|pc-q35-\d+(\.\d+)+(\+pve\d+)?(\.pxe)?|virt(?:-\d+(\.\d+)+)?(\+pve\d+)?)
  viommu? str enum=intel|virtio
format $memory [89]
  current! int range=16.. default_key
format $virtiofs [89]
  cache? str enum=auto|always|metadata|never
  direct-io? bool
  dirid! str:pve-configid default_key
  expose-acl? bool
  expose-xattr? bool
format pve-qm-ide
  use: drive
  model? str:urlencoded len=..120
  ssd? bool
  wwn? str pattern=(?:^(0x)[0-9a-fA-F]{16})
format pve-qemu-sev-fmt [89]
  allow-smt? bool
  kernel-hashes? bool
  no-debug? bool
  no-key-sharing? bool
  type! str enum=std|es|snp default_key
format pve-qemu-tdx-fmt [9]
  attestation? bool
  type! str enum=tdx default_key
  vsock-cid? int range=2..
  vsock-port? int range=0..
format pve-qm-ipconfig
  gw? str:ipv4 requires=ip
  gw6? str:ipv6 requires=ip6
  ip? str:pve-ipv4-config
  ip6? str:pve-ipv6-config
format pve-qm-cicustom
  meta? str:pve-volume-id
  network? str:pve-volume-id
  user? str:pve-volume-id
  vendor? str:pve-volume-id
format pve-qm-boot
  legacy? str default_key pattern=[acdn]{1,4}
  order? str:pve-qm-bootdev-list
format pve-qm-watchdog
  action? str enum=reset|shutdown|poweroff|pause|debug|none
  model? str enum=i6300esb|ib700 default_key
format pve-qm-smbios1
  base64? bool
  family? str pattern=[A-Za-z0-9+\/]+={0,2}
  manufacturer? str pattern=[A-Za-z0-9+\/]+={0,2}
  product? str pattern=[A-Za-z0-9+\/]+={0,2}
  serial? str pattern=[A-Za-z0-9+\/]+={0,2}
  sku? str pattern=[A-Za-z0-9+\/]+={0,2}
  uuid? str pattern=[a-fA-F0-9]{8}(?:-[a-fA-F0-9]{4}){3}-[a-fA-F0-9]{12}
  version? str pattern=[A-Za-z0-9+\/]+={0,2}
format pve-qm-rng [89]
  max_bytes? int
  period? int
  source! str enum=/dev/urandom|/dev/random|/dev/hwrng default_key
format pve-vm-cpu-conf
  cputype? str default_key pattern=[a-zA-Z0-9._-]+
  flags? str pattern=[+-][a-zA-Z0-9\-_.]+(?:;[+-][a-zA-Z0-9\-_.]+)*
  [9] guest-phys-bits? int range=32..64
  hidden? bool
  hv-vendor-id? str pattern=[a-zA-Z0-9]{1,12}
  phys-bits? str pattern=host|\d{1,2}
  reported-model? str
format pve-qm-hostpci
  device-id? str pattern=0x[0-9a-fA-F]{4}
  [9] driver? str enum=vfio|keep
  [7] host! str default_key
  [89] host? str default_key
  legacy-igd? bool
  [89] mapping? str:pve-configid
  mdev? str pattern=[^/.:]+
  pcie? bool
  rombar? bool
  romfile? str pattern=[^,;]+
  sub-device-id? str pattern=0x[0-9a-fA-F]{4}
  sub-vendor-id? str pattern=0x[0-9a-fA-F]{4}
  vendor-id? str pattern=0x[0-9a-fA-F]{4}
  x-vga? bool
`;
