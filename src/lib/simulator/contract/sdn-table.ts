/** Parameters and permissions of `/cluster/sdn` and `/nodes/{node}/sdn`, per version. Data only. */
export const sdnTable = String.raw`
block zone-options
  advertise-subnets? bool
  bridge? str
  bridge-disable-mac-learning? bool
  controller? str
  [89] dhcp? str enum=dnsmasq
  disable-arp-nd-suppression? bool
  dns? str
  dnszone? str:dns-name
  dp-id? int
  exitnodes? str:pve-node-list
  exitnodes-local-routing? bool
  exitnodes-primary? str:pve-node
  [9] fabric? str:pve-sdn-fabric-id
  ipam? str
  [9] lock-token? str
  mac? str:mac-addr
  mtu? int
  nodes? str:pve-node-list
  peers? str:ip-list
  reversedns? str
  rt-import? str:pve-sdn-bgp-rt-list
  [9] secondary-controllers? array
  tag? int range=0..
  vlan-protocol? str enum=802.1q|802.1ad
  [78] vrf-vxlan? int
  [9] vrf-vxlan? int range=1..16777215
  [89] vxlan-port? int range=1..65536
block zone-id
  [78] zone! str:pve-sdn-zone-id
  [9] zone! str len=2..8 pattern=[a-zA-Z][a-zA-Z0-9]*[a-zA-Z0-9]
block vnet-id
  [78] vnet! str:pve-sdn-vnet-id
  [9] vnet! str len=2..8 pattern=[a-zA-Z][a-zA-Z0-9]*[a-zA-Z0-9]
block vnet-options
  alias? str len=..256 pattern=(?:[\(\)-_.\w\d\s]{0,256})
  [89] isolate-ports? bool
  [9] lock-token? str
  [78] tag? int
  [9] tag? int range=1..16777215
  vlanaware? bool
block digest
  [7] digest? str len=..40
  [89] digest? str len=..64
GET /cluster/sdn/zones
  may: user=all
  pending? bool
  running? bool
  type? str enum=evpn|faucet|qinq|simple|vlan|vxlan
POST /cluster/sdn/zones
  flags: protected
  may: ["perm","/sdn/zones",["SDN.Allocate"]]
  use: zone-options
  type! str:pve-configid enum=evpn|faucet|qinq|simple|vlan|vxlan
  use: zone-id
GET /cluster/sdn/zones/{zone}
  may: ["perm","/sdn/zones/{zone}",["SDN.Allocate"]]
  pending? bool
  running? bool
  use: zone-id
PUT /cluster/sdn/zones/{zone}
  flags: protected
  [7] may: ["perm","/sdn/zones",["SDN.Allocate"]]
  [89] may: ["perm","/sdn/zones/{zone}",["SDN.Allocate"]]
  use: zone-options
  delete? str:pve-configid-list len=..4096
  use: digest
  use: zone-id
DELETE /cluster/sdn/zones/{zone}
  flags: protected
  [7] may: ["perm","/sdn/zones",["SDN.Allocate"]]
  [89] may: ["perm","/sdn/zones/{zone}",["SDN.Allocate"]]
  [9] lock-token? str
  use: zone-id
GET /cluster/sdn/vnets
  may: user=all
  pending? bool
  running? bool
POST /cluster/sdn/vnets
  flags: protected
  [7] may: ["perm","/sdn/vnets",["SDN.Allocate"]]
  [89] may: ["perm","/sdn/zones/{zone}",["SDN.Allocate"]]
  use: vnet-options
  type? str enum=vnet
  use: vnet-id
  zone! str
GET /cluster/sdn/vnets/{vnet}
  [7] may: ["perm","/sdn/vnets/{vnet}",["SDN.Allocate"]]
  [89] may: user=all
  pending? bool
  running? bool
  use: vnet-id
PUT /cluster/sdn/vnets/{vnet}
  flags: protected
  [7] may: ["perm","/sdn/vnets",["SDN.Allocate"]]
  [89] may: user=all
  use: vnet-options
  delete? str:pve-configid-list len=..4096
  use: digest
  use: vnet-id
  zone? str
DELETE /cluster/sdn/vnets/{vnet}
  flags: protected
  [7] may: ["perm","/sdn/vnets",["SDN.Allocate"]]
  [89] may: user=all
  [9] lock-token? str
  use: vnet-id
PUT /cluster/sdn
  flags: protected task
  may: ["perm","/sdn",["SDN.Allocate"]]
  [9] lock-token? str
  [9] release-lock? bool
POST /cluster/sdn/lock [9]
  flags: protected
  may: ["perm","/sdn",["SDN.Allocate"]]
  allow-pending? bool
DELETE /cluster/sdn/lock [9]
  flags: protected
  may: ["perm","/sdn",["SDN.Allocate"]]
  force? bool
  lock-token? str
POST /cluster/sdn/rollback [9]
  flags: protected
  may: ["perm","/sdn",["SDN.Allocate"]]
  lock-token? str
  release-lock? bool
GET /nodes/{node}/sdn/zones
  flags: protected on-node
  may: user=all
  use: node
GET /nodes/{node}/sdn/zones/{zone}/content
  flags: protected on-node
  [78] may: ["perm","/sdn/zones/{zone}",["SDN.Audit"],"any",1]
  [9] may: ["perm","/sdn/zones/{zone}",["SDN.Audit"]]
  use: node
  use: zone-id
`;
