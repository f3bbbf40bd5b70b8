/** Parameters and permissions of `/nodes/{node}` without guests, per version. Data only. */
export const nodeTable = String.raw`
block node
  node! str:pve-node
block interface
  address? str:ipv4 requires=netmask
  address6? str:ipv6 requires=netmask6
  autostart? bool
  bond-primary? str:pve-iface
  bond_mode? str enum=balance-rr|active-backup|balance-xor|broadcast|802.3ad|balance-tlb|balance-alb|balance-slb|lacp-balance-slb|lacp-balance-tcp
  bond_xmit_hash_policy? str enum=layer2|layer2+3|layer3+4
  bridge_ports? str:pve-iface-list
  [89] bridge_vids? str:pve-vlan-id-or-range-list
  bridge_vlan_aware? bool
  cidr? str:CIDRv4
  cidr6? str:CIDRv6
  comments? str
  comments6? str
  gateway? str:ipv4
  gateway6? str:ipv6
  iface! str:pve-iface len=2..20
  mtu? int range=1280..65520
  netmask? str:ipv4mask requires=address
  netmask6? int range=0..128 requires=address6
  ovs_bonds? str:pve-iface-list
  ovs_bridge? str:pve-iface
  ovs_options? str len=..1024
  ovs_ports? str:pve-iface-list
  ovs_tag? int range=1..4094
  slaves? str:pve-iface-list
  [7] type! str enum=bridge|bond|eth|alias|vlan|OVSBridge|OVSBond|OVSPort|OVSIntPort|unknown
  [8] type! str enum=bridge|bond|eth|alias|vlan|OVSBridge|OVSBond|OVSPort|OVSIntPort|vnet|unknown
  [9] type! str enum=bridge|bond|eth|alias|vlan|fabric|OVSBridge|OVSBond|OVSPort|OVSIntPort|vnet|unknown
  vlan-id? int range=1..4094
  vlan-raw-device? str:pve-iface
GET /nodes/{node}/version
  flags: on-node
  may: user=all
  use: node
GET /nodes/{node}/status
  flags: on-node
  may: ["perm","/nodes/{node}",["Sys.Audit"]]
  use: node
GET /nodes/{node}/tasks
  flags: on-node
  may: user=all
  use: node
  errors? bool
  limit? int range=0..
  since? int
  source? str enum=archive|active|all
  start? int range=0..
  statusfilter? str:pve-task-status-type-list
  typefilter? str
  until? int
  userfilter? str
  [7] vmid? int:pve-vmid range=1..
  [89] vmid? int:pve-vmid range=100..999999999
GET /nodes/{node}/tasks/{upid}
  may: user=all
  use: node
  upid! str
GET /nodes/{node}/tasks/{upid}/status
  flags: protected on-node
  may: user=all
  use: node
  upid! str
GET /nodes/{node}/tasks/{upid}/log
  flags: protected on-node
  may: user=all
  use: node
  download? bool
  limit? int range=0..
  start? int range=0..
  upid! str
DELETE /nodes/{node}/tasks/{upid}
  flags: protected on-node
  may: user=all
  use: node
  upid! str
GET /nodes/{node}/network
  flags: on-node
  may: user=all
  use: node
  [7] type? str enum=bridge|bond|eth|alias|vlan|OVSBridge|OVSBond|OVSPort|OVSIntPort|any_bridge
  [8] type? str enum=bridge|bond|eth|alias|vlan|OVSBridge|OVSBond|OVSPort|OVSIntPort|vnet|any_bridge|any_local_bridge
  [9] type? str enum=bridge|bond|eth|alias|vlan|fabric|OVSBridge|OVSBond|OVSPort|OVSIntPort|vnet|any_bridge|any_local_bridge|include_sdn
POST /nodes/{node}/network
  flags: protected on-node
  may: ["perm","/nodes/{node}",["Sys.Modify"]]
  use: node
  use: interface
PUT /nodes/{node}/network
  flags: protected on-node task
  may: ["perm","/nodes/{node}",["Sys.Modify"]]
  use: node
  [9] regenerate-frr? bool
DELETE /nodes/{node}/network
  flags: protected on-node
  may: ["perm","/nodes/{node}",["Sys.Modify"]]
  use: node
GET /nodes/{node}/network/{iface}
  flags: on-node
  may: ["perm","/nodes/{node}",["Sys.Audit"]]
  use: node
  iface! str:pve-iface len=2..20
PUT /nodes/{node}/network/{iface}
  flags: protected on-node
  may: ["perm","/nodes/{node}",["Sys.Modify"]]
  use: node
  use: interface
  delete? str:pve-configid-list
DELETE /nodes/{node}/network/{iface}
  flags: protected on-node
  may: ["perm","/nodes/{node}",["Sys.Modify"]]
  use: node
  iface! str:pve-iface len=2..20
GET /nodes/{node}/capabilities/qemu/machines
  flags: on-node
  may: user=all
  use: node
  [9] arch? str enum=x86_64|aarch64
GET /nodes/{node}/storage
  flags: protected on-node
  may: user=all
  use: node
  content? str:pve-storage-content-list
  enabled? bool
  format? bool
  storage? str:pve-storage-id
  target? str:pve-node
GET /nodes/{node}/storage/{storage}/status
  flags: protected on-node
  may: ["perm","/storage/{storage}",["Datastore.Audit","Datastore.AllocateSpace"],"any",1]
  use: node
  storage! str:pve-storage-id
GET /nodes/{node}/storage/{storage}/content
  flags: protected on-node
  may: ["perm","/storage/{storage}",["Datastore.Audit","Datastore.AllocateSpace"],"any",1]
  use: node
  content? str:pve-storage-content
  storage! str:pve-storage-id
  [7] vmid? int:pve-vmid range=1..
  [89] vmid? int:pve-vmid range=100..999999999
GET /nodes/{node}/rrddata
  flags: protected
  may: ["perm","/nodes/{node}",["Sys.Audit"]]
  use: node
  cf? str enum=AVERAGE|MAX
  [78] timeframe! str enum=hour|day|week|month|year
  [9] timeframe! str enum=hour|day|week|month|year|decade
GET /nodes/{node}/qemu/{vmid}/rrddata
  flags: protected
  may: ["perm","/vms/{vmid}",["VM.Audit"]]
  use: node
  cf? str enum=AVERAGE|MAX
  timeframe! str enum=hour|day|week|month|year
  [7] vmid! int:pve-vmid range=1..
  [89] vmid! int:pve-vmid range=100..999999999
`;
