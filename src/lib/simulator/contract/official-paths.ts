/** Every path and method of PVE's API, modelled or not; a digit names a major version that has it. Data only. */
export const officialPaths = `
/access GET
/access/acl GET PUT
/access/domains GET POST
/access/domains/{realm} DELETE GET PUT
/access/domains/{realm}/sync POST
/access/groups GET POST
/access/groups/{groupid} DELETE GET PUT
/access/openid GET
/access/openid/auth-url POST
/access/openid/login POST
/access/password PUT
/access/permissions GET
/access/roles GET POST
/access/roles/{roleid} DELETE GET PUT
/access/tfa GET POST7
/access/tfa/{userid} GET POST
/access/tfa/{userid}/{id} DELETE GET PUT
/access/ticket GET POST
/access/users GET POST
/access/users/{userid} DELETE GET PUT
/access/users/{userid}/tfa GET
/access/users/{userid}/token GET
/access/users/{userid}/token/{tokenid} DELETE GET POST PUT
/access/users/{userid}/unlock-tfa PUT89
/access/vncticket POST9
/cluster GET
/cluster/acme GET
/cluster/acme/account GET POST
/cluster/acme/account/{name} DELETE GET PUT
/cluster/acme/challenge-schema GET
/cluster/acme/directories GET
/cluster/acme/meta GET89
/cluster/acme/plugins GET POST
/cluster/acme/plugins/{id} DELETE GET PUT
/cluster/acme/tos GET
/cluster/backup GET POST
/cluster/backup-info GET
/cluster/backup-info/not-backed-up GET
/cluster/backup/{id} DELETE GET PUT
/cluster/backup/{id}/included_volumes GET
/cluster/bulk-action GET9
/cluster/bulk-action/guest GET9
/cluster/bulk-action/guest/migrate POST9
/cluster/bulk-action/guest/shutdown POST9
/cluster/bulk-action/guest/start POST9
/cluster/bulk-action/guest/suspend POST9
/cluster/ceph GET
/cluster/ceph/flags GET PUT
/cluster/ceph/flags/{flag} GET PUT
/cluster/ceph/metadata GET
/cluster/ceph/status GET
/cluster/config GET POST
/cluster/config/apiversion GET
/cluster/config/join GET POST
/cluster/config/nodes GET
/cluster/config/nodes/{node} DELETE POST
/cluster/config/qdevice GET
/cluster/config/totem GET
/cluster/firewall GET
/cluster/firewall/aliases GET POST
/cluster/firewall/aliases/{name} DELETE GET PUT
/cluster/firewall/groups GET POST
/cluster/firewall/groups/{group} DELETE GET POST
/cluster/firewall/groups/{group}/{pos} DELETE GET PUT
/cluster/firewall/ipset GET POST
/cluster/firewall/ipset/{name} DELETE GET POST
/cluster/firewall/ipset/{name}/{cidr} DELETE GET PUT
/cluster/firewall/macros GET
/cluster/firewall/options GET PUT
/cluster/firewall/refs GET
/cluster/firewall/rules GET POST
/cluster/firewall/rules/{pos} DELETE GET PUT
/cluster/ha GET
/cluster/ha/groups GET POST
/cluster/ha/groups/{group} DELETE GET PUT
/cluster/ha/resources GET POST
/cluster/ha/resources/{sid} DELETE GET PUT
/cluster/ha/resources/{sid}/migrate POST
/cluster/ha/resources/{sid}/relocate POST
/cluster/ha/rules GET9 POST9
/cluster/ha/rules/{rule} DELETE9 GET9 PUT9
/cluster/ha/status GET
/cluster/ha/status/arm-ha POST9
/cluster/ha/status/current GET
/cluster/ha/status/disarm-ha POST9
/cluster/ha/status/manager_status GET
/cluster/jobs GET
/cluster/jobs/realm-sync GET89
/cluster/jobs/realm-sync/{id} DELETE89 GET89 POST89 PUT89
/cluster/jobs/schedule-analyze GET
/cluster/log GET
/cluster/mapping GET89
/cluster/mapping/dir GET89 POST89
/cluster/mapping/dir/{id} DELETE89 GET89 PUT89
/cluster/mapping/pci GET89 POST89
/cluster/mapping/pci/{id} DELETE89 GET89 PUT89
/cluster/mapping/usb GET89 POST89
/cluster/mapping/usb/{id} DELETE89 GET89 PUT89
/cluster/metrics GET
/cluster/metrics/export GET89
/cluster/metrics/server GET
/cluster/metrics/server/{id} DELETE GET POST PUT
/cluster/nextid GET
/cluster/notifications GET89
/cluster/notifications/endpoints GET89
/cluster/notifications/endpoints/gotify GET89 POST89
/cluster/notifications/endpoints/gotify/{name} DELETE89 GET89 PUT89
/cluster/notifications/endpoints/sendmail GET89 POST89
/cluster/notifications/endpoints/sendmail/{name} DELETE89 GET89 PUT89
/cluster/notifications/endpoints/smtp GET89 POST89
/cluster/notifications/endpoints/smtp/{name} DELETE89 GET89 PUT89
/cluster/notifications/endpoints/webhook GET89 POST89
/cluster/notifications/endpoints/webhook/{name} DELETE89 GET89 PUT89
/cluster/notifications/matcher-field-values GET89
/cluster/notifications/matcher-fields GET89
/cluster/notifications/matchers GET89 POST89
/cluster/notifications/matchers/{name} DELETE89 GET89 PUT89
/cluster/notifications/targets GET89
/cluster/notifications/targets/{name}/test POST89
/cluster/options GET PUT
/cluster/qemu GET9
/cluster/qemu/cpu-flags GET9
/cluster/qemu/custom-cpu-models GET9 POST9
/cluster/qemu/custom-cpu-models/{cputype} DELETE9 GET9 PUT9
/cluster/replication GET POST
/cluster/replication/{id} DELETE GET PUT
/cluster/resources GET
/cluster/sdn GET PUT
/cluster/sdn/controllers GET POST
/cluster/sdn/controllers/{controller} DELETE GET PUT
/cluster/sdn/dns GET POST
/cluster/sdn/dns/{dns} DELETE GET PUT
/cluster/sdn/dry-run GET9
/cluster/sdn/fabrics GET9
/cluster/sdn/fabrics/all GET9
/cluster/sdn/fabrics/fabric GET9 POST9
/cluster/sdn/fabrics/fabric/{id} DELETE9 GET9 PUT9
/cluster/sdn/fabrics/node GET9
/cluster/sdn/fabrics/node/{fabric_id} GET9 POST9
/cluster/sdn/fabrics/node/{fabric_id}/{node_id} DELETE9 GET9 PUT9
/cluster/sdn/ipams GET POST
/cluster/sdn/ipams/{ipam} DELETE GET PUT
/cluster/sdn/ipams/{ipam}/status GET89
/cluster/sdn/lock DELETE9 POST9
/cluster/sdn/prefix-lists GET9 POST9
/cluster/sdn/prefix-lists/{id} DELETE9 GET9 PUT9
/cluster/sdn/prefix-lists/{id}/entries GET9 POST9
/cluster/sdn/prefix-lists/{id}/entries/{url_seq} DELETE9 GET9 PUT9
/cluster/sdn/rollback POST9
/cluster/sdn/route-maps GET9
/cluster/sdn/route-maps/entries GET9 POST9
/cluster/sdn/route-maps/entries/{route-map-id} GET9
/cluster/sdn/route-maps/entries/{route-map-id}/entry/{order} DELETE9 GET9 PUT9
/cluster/sdn/vnets GET POST
/cluster/sdn/vnets/{vnet} DELETE GET PUT
/cluster/sdn/vnets/{vnet}/firewall GET89
/cluster/sdn/vnets/{vnet}/firewall/options GET89 PUT89
/cluster/sdn/vnets/{vnet}/firewall/rules GET89 POST89
/cluster/sdn/vnets/{vnet}/firewall/rules/{pos} DELETE89 GET89 PUT89
/cluster/sdn/vnets/{vnet}/ips DELETE89 POST89 PUT89
/cluster/sdn/vnets/{vnet}/subnets GET POST
/cluster/sdn/vnets/{vnet}/subnets/{subnet} DELETE GET PUT
/cluster/sdn/zones GET POST
/cluster/sdn/zones/{zone} DELETE GET PUT
/cluster/status GET
/cluster/tasks GET
/nodes GET
/nodes/{node} GET
/nodes/{node}/aplinfo GET POST
/nodes/{node}/apt GET
/nodes/{node}/apt/changelog GET
/nodes/{node}/apt/repositories GET POST PUT
/nodes/{node}/apt/update GET POST
/nodes/{node}/apt/versions GET
/nodes/{node}/capabilities GET
/nodes/{node}/capabilities/qemu GET
/nodes/{node}/capabilities/qemu/cpu GET
/nodes/{node}/capabilities/qemu/cpu-flags GET9
/nodes/{node}/capabilities/qemu/machines GET
/nodes/{node}/capabilities/qemu/migration GET9
/nodes/{node}/ceph GET
/nodes/{node}/ceph/cfg GET
/nodes/{node}/ceph/cfg/db GET
/nodes/{node}/ceph/cfg/raw GET
/nodes/{node}/ceph/cfg/value GET89
/nodes/{node}/ceph/cmd-safety GET
/nodes/{node}/ceph/config GET7
/nodes/{node}/ceph/configdb GET7
/nodes/{node}/ceph/crush GET
/nodes/{node}/ceph/fs GET
/nodes/{node}/ceph/fs/{name} DELETE9 POST
/nodes/{node}/ceph/init POST
/nodes/{node}/ceph/log GET
/nodes/{node}/ceph/mds GET
/nodes/{node}/ceph/mds/{name} DELETE POST
/nodes/{node}/ceph/mgr GET
/nodes/{node}/ceph/mgr/{id} DELETE POST
/nodes/{node}/ceph/mon GET
/nodes/{node}/ceph/mon/{monid} DELETE POST
/nodes/{node}/ceph/osd GET POST
/nodes/{node}/ceph/osd/{osdid} DELETE GET
/nodes/{node}/ceph/osd/{osdid}/in POST
/nodes/{node}/ceph/osd/{osdid}/lv-info GET
/nodes/{node}/ceph/osd/{osdid}/metadata GET
/nodes/{node}/ceph/osd/{osdid}/out POST
/nodes/{node}/ceph/osd/{osdid}/scrub POST
/nodes/{node}/ceph/pool GET POST
/nodes/{node}/ceph/pool/{name} DELETE GET PUT
/nodes/{node}/ceph/pool/{name}/status GET
/nodes/{node}/ceph/pools GET7 POST7
/nodes/{node}/ceph/pools/{name} DELETE7 GET7 PUT7
/nodes/{node}/ceph/restart POST
/nodes/{node}/ceph/rules GET
/nodes/{node}/ceph/start POST
/nodes/{node}/ceph/status GET
/nodes/{node}/ceph/stop POST
/nodes/{node}/certificates GET
/nodes/{node}/certificates/acme GET
/nodes/{node}/certificates/acme/certificate DELETE POST PUT
/nodes/{node}/certificates/custom DELETE POST
/nodes/{node}/certificates/info GET
/nodes/{node}/config GET PUT
/nodes/{node}/disks GET
/nodes/{node}/disks/directory GET POST
/nodes/{node}/disks/directory/{name} DELETE
/nodes/{node}/disks/initgpt POST
/nodes/{node}/disks/list GET
/nodes/{node}/disks/lvm GET POST
/nodes/{node}/disks/lvm/{name} DELETE
/nodes/{node}/disks/lvmthin GET POST
/nodes/{node}/disks/lvmthin/{name} DELETE
/nodes/{node}/disks/smart GET
/nodes/{node}/disks/wipedisk PUT
/nodes/{node}/disks/zfs GET POST
/nodes/{node}/disks/zfs/{name} DELETE GET
/nodes/{node}/dns GET PUT
/nodes/{node}/execute POST
/nodes/{node}/firewall GET
/nodes/{node}/firewall/log GET
/nodes/{node}/firewall/options GET PUT
/nodes/{node}/firewall/rules GET POST
/nodes/{node}/firewall/rules/{pos} DELETE GET PUT
/nodes/{node}/hardware GET
/nodes/{node}/hardware/pci GET
/nodes/{node}/hardware/pci/{pci-id-or-mapping} GET89
/nodes/{node}/hardware/pci/{pci-id-or-mapping}/mdev GET89
/nodes/{node}/hardware/pci/{pciid} GET7
/nodes/{node}/hardware/pci/{pciid}/mdev GET7
/nodes/{node}/hardware/usb GET
/nodes/{node}/hosts GET POST
/nodes/{node}/journal GET
/nodes/{node}/lxc GET POST
/nodes/{node}/lxc/{vmid} DELETE GET
/nodes/{node}/lxc/{vmid}/clone POST
/nodes/{node}/lxc/{vmid}/config GET PUT
/nodes/{node}/lxc/{vmid}/feature GET
/nodes/{node}/lxc/{vmid}/firewall GET
/nodes/{node}/lxc/{vmid}/firewall/aliases GET POST
/nodes/{node}/lxc/{vmid}/firewall/aliases/{name} DELETE GET PUT
/nodes/{node}/lxc/{vmid}/firewall/ipset GET POST
/nodes/{node}/lxc/{vmid}/firewall/ipset/{name} DELETE GET POST
/nodes/{node}/lxc/{vmid}/firewall/ipset/{name}/{cidr} DELETE GET PUT
/nodes/{node}/lxc/{vmid}/firewall/log GET
/nodes/{node}/lxc/{vmid}/firewall/options GET PUT
/nodes/{node}/lxc/{vmid}/firewall/refs GET
/nodes/{node}/lxc/{vmid}/firewall/rules GET POST
/nodes/{node}/lxc/{vmid}/firewall/rules/{pos} DELETE GET PUT
/nodes/{node}/lxc/{vmid}/interfaces GET89
/nodes/{node}/lxc/{vmid}/migrate GET9 POST
/nodes/{node}/lxc/{vmid}/move_volume POST
/nodes/{node}/lxc/{vmid}/mtunnel POST
/nodes/{node}/lxc/{vmid}/mtunnelwebsocket GET
/nodes/{node}/lxc/{vmid}/pending GET
/nodes/{node}/lxc/{vmid}/remote_migrate POST
/nodes/{node}/lxc/{vmid}/resize PUT
/nodes/{node}/lxc/{vmid}/rrd GET
/nodes/{node}/lxc/{vmid}/rrddata GET
/nodes/{node}/lxc/{vmid}/snapshot GET POST
/nodes/{node}/lxc/{vmid}/snapshot/{snapname} DELETE GET
/nodes/{node}/lxc/{vmid}/snapshot/{snapname}/config GET PUT
/nodes/{node}/lxc/{vmid}/snapshot/{snapname}/rollback POST
/nodes/{node}/lxc/{vmid}/spiceproxy POST
/nodes/{node}/lxc/{vmid}/status GET
/nodes/{node}/lxc/{vmid}/status/current GET
/nodes/{node}/lxc/{vmid}/status/reboot POST
/nodes/{node}/lxc/{vmid}/status/resume POST
/nodes/{node}/lxc/{vmid}/status/shutdown POST
/nodes/{node}/lxc/{vmid}/status/start POST
/nodes/{node}/lxc/{vmid}/status/stop POST
/nodes/{node}/lxc/{vmid}/status/suspend POST
/nodes/{node}/lxc/{vmid}/template POST
/nodes/{node}/lxc/{vmid}/termproxy POST
/nodes/{node}/lxc/{vmid}/vncproxy POST
/nodes/{node}/lxc/{vmid}/vncwebsocket GET
/nodes/{node}/migrateall POST
/nodes/{node}/netstat GET
/nodes/{node}/network DELETE GET POST PUT
/nodes/{node}/network/{iface} DELETE GET PUT
/nodes/{node}/qemu GET POST
/nodes/{node}/qemu/{vmid} DELETE GET
/nodes/{node}/qemu/{vmid}/agent GET POST
/nodes/{node}/qemu/{vmid}/agent/exec POST
/nodes/{node}/qemu/{vmid}/agent/exec-status GET
/nodes/{node}/qemu/{vmid}/agent/file-read GET
/nodes/{node}/qemu/{vmid}/agent/file-write POST
/nodes/{node}/qemu/{vmid}/agent/fsfreeze-freeze POST
/nodes/{node}/qemu/{vmid}/agent/fsfreeze-status POST
/nodes/{node}/qemu/{vmid}/agent/fsfreeze-thaw POST
/nodes/{node}/qemu/{vmid}/agent/fstrim POST
/nodes/{node}/qemu/{vmid}/agent/get-fsinfo GET
/nodes/{node}/qemu/{vmid}/agent/get-host-name GET
/nodes/{node}/qemu/{vmid}/agent/get-memory-block-info GET
/nodes/{node}/qemu/{vmid}/agent/get-memory-blocks GET
/nodes/{node}/qemu/{vmid}/agent/get-osinfo GET
/nodes/{node}/qemu/{vmid}/agent/get-time GET
/nodes/{node}/qemu/{vmid}/agent/get-timezone GET
/nodes/{node}/qemu/{vmid}/agent/get-users GET
/nodes/{node}/qemu/{vmid}/agent/get-vcpus GET
/nodes/{node}/qemu/{vmid}/agent/info GET
/nodes/{node}/qemu/{vmid}/agent/network-get-interfaces GET
/nodes/{node}/qemu/{vmid}/agent/ping POST
/nodes/{node}/qemu/{vmid}/agent/set-user-password POST
/nodes/{node}/qemu/{vmid}/agent/shutdown POST
/nodes/{node}/qemu/{vmid}/agent/suspend-disk POST
/nodes/{node}/qemu/{vmid}/agent/suspend-hybrid POST
/nodes/{node}/qemu/{vmid}/agent/suspend-ram POST
/nodes/{node}/qemu/{vmid}/clone POST
/nodes/{node}/qemu/{vmid}/cloudinit GET PUT
/nodes/{node}/qemu/{vmid}/cloudinit/dump GET
/nodes/{node}/qemu/{vmid}/config GET POST PUT
/nodes/{node}/qemu/{vmid}/dbus-vmstate POST9
/nodes/{node}/qemu/{vmid}/feature GET
/nodes/{node}/qemu/{vmid}/firewall GET
/nodes/{node}/qemu/{vmid}/firewall/aliases GET POST
/nodes/{node}/qemu/{vmid}/firewall/aliases/{name} DELETE GET PUT
/nodes/{node}/qemu/{vmid}/firewall/ipset GET POST
/nodes/{node}/qemu/{vmid}/firewall/ipset/{name} DELETE GET POST
/nodes/{node}/qemu/{vmid}/firewall/ipset/{name}/{cidr} DELETE GET PUT
/nodes/{node}/qemu/{vmid}/firewall/log GET
/nodes/{node}/qemu/{vmid}/firewall/options GET PUT
/nodes/{node}/qemu/{vmid}/firewall/refs GET
/nodes/{node}/qemu/{vmid}/firewall/rules GET POST
/nodes/{node}/qemu/{vmid}/firewall/rules/{pos} DELETE GET PUT
/nodes/{node}/qemu/{vmid}/migrate GET POST
/nodes/{node}/qemu/{vmid}/monitor POST
/nodes/{node}/qemu/{vmid}/move_disk POST
/nodes/{node}/qemu/{vmid}/mtunnel POST
/nodes/{node}/qemu/{vmid}/mtunnelwebsocket GET
/nodes/{node}/qemu/{vmid}/pending GET
/nodes/{node}/qemu/{vmid}/remote_migrate POST
/nodes/{node}/qemu/{vmid}/resize PUT
/nodes/{node}/qemu/{vmid}/rrd GET
/nodes/{node}/qemu/{vmid}/rrddata GET
/nodes/{node}/qemu/{vmid}/sendkey PUT
/nodes/{node}/qemu/{vmid}/snapshot GET POST
/nodes/{node}/qemu/{vmid}/snapshot/{snapname} DELETE GET
/nodes/{node}/qemu/{vmid}/snapshot/{snapname}/config GET PUT
/nodes/{node}/qemu/{vmid}/snapshot/{snapname}/rollback POST
/nodes/{node}/qemu/{vmid}/spiceproxy POST
/nodes/{node}/qemu/{vmid}/status GET
/nodes/{node}/qemu/{vmid}/status/current GET
/nodes/{node}/qemu/{vmid}/status/reboot POST
/nodes/{node}/qemu/{vmid}/status/reset POST
/nodes/{node}/qemu/{vmid}/status/resume POST
/nodes/{node}/qemu/{vmid}/status/shutdown POST
/nodes/{node}/qemu/{vmid}/status/start POST
/nodes/{node}/qemu/{vmid}/status/stop POST
/nodes/{node}/qemu/{vmid}/status/suspend POST
/nodes/{node}/qemu/{vmid}/template POST
/nodes/{node}/qemu/{vmid}/termproxy POST
/nodes/{node}/qemu/{vmid}/unlink PUT
/nodes/{node}/qemu/{vmid}/vncproxy POST
/nodes/{node}/qemu/{vmid}/vncwebsocket GET
/nodes/{node}/query-oci-repo-tags GET9
/nodes/{node}/query-url-metadata GET
/nodes/{node}/replication GET
/nodes/{node}/replication/{id} GET
/nodes/{node}/replication/{id}/log GET
/nodes/{node}/replication/{id}/schedule_now POST
/nodes/{node}/replication/{id}/status GET
/nodes/{node}/report GET
/nodes/{node}/rrd GET
/nodes/{node}/rrddata GET
/nodes/{node}/scan GET
/nodes/{node}/scan/cifs GET
/nodes/{node}/scan/glusterfs GET78
/nodes/{node}/scan/iscsi GET
/nodes/{node}/scan/lvm GET
/nodes/{node}/scan/lvmthin GET
/nodes/{node}/scan/nfs GET
/nodes/{node}/scan/pbs GET
/nodes/{node}/scan/zfs GET
/nodes/{node}/sdn GET
/nodes/{node}/sdn/fabrics/{fabric} GET9
/nodes/{node}/sdn/fabrics/{fabric}/interfaces GET9
/nodes/{node}/sdn/fabrics/{fabric}/neighbors GET9
/nodes/{node}/sdn/fabrics/{fabric}/routes GET9
/nodes/{node}/sdn/vnets/{vnet} GET9
/nodes/{node}/sdn/vnets/{vnet}/mac-vrf GET9
/nodes/{node}/sdn/zones GET
/nodes/{node}/sdn/zones/{zone} GET
/nodes/{node}/sdn/zones/{zone}/bridges GET9
/nodes/{node}/sdn/zones/{zone}/content GET
/nodes/{node}/sdn/zones/{zone}/ip-vrf GET9
/nodes/{node}/services GET
/nodes/{node}/services/{service} GET
/nodes/{node}/services/{service}/reload POST
/nodes/{node}/services/{service}/restart POST
/nodes/{node}/services/{service}/start POST
/nodes/{node}/services/{service}/state GET
/nodes/{node}/services/{service}/stop POST
/nodes/{node}/spiceshell POST
/nodes/{node}/startall POST
/nodes/{node}/status GET POST
/nodes/{node}/stopall POST
/nodes/{node}/storage GET
/nodes/{node}/storage/{storage} GET
/nodes/{node}/storage/{storage}/content GET POST
/nodes/{node}/storage/{storage}/content/{volume} DELETE GET POST PUT
/nodes/{node}/storage/{storage}/download-url POST
/nodes/{node}/storage/{storage}/file-restore/download GET
/nodes/{node}/storage/{storage}/file-restore/list GET
/nodes/{node}/storage/{storage}/identity GET9
/nodes/{node}/storage/{storage}/import-metadata GET89
/nodes/{node}/storage/{storage}/oci-registry-pull POST9
/nodes/{node}/storage/{storage}/prunebackups DELETE GET
/nodes/{node}/storage/{storage}/rrd GET
/nodes/{node}/storage/{storage}/rrddata GET
/nodes/{node}/storage/{storage}/status GET
/nodes/{node}/storage/{storage}/upload POST
/nodes/{node}/subscription DELETE GET POST PUT
/nodes/{node}/suspendall POST89
/nodes/{node}/syslog GET
/nodes/{node}/tasks GET
/nodes/{node}/tasks/{upid} DELETE GET
/nodes/{node}/tasks/{upid}/log GET
/nodes/{node}/tasks/{upid}/status GET
/nodes/{node}/termproxy POST
/nodes/{node}/time GET PUT
/nodes/{node}/version GET
/nodes/{node}/vncshell POST
/nodes/{node}/vncwebsocket GET
/nodes/{node}/vzdump POST
/nodes/{node}/vzdump/defaults GET
/nodes/{node}/vzdump/extractconfig GET
/nodes/{node}/wakeonlan POST
/pools DELETE89 GET POST PUT89
/pools/{poolid} DELETE GET PUT
/storage GET POST
/storage/{storage} DELETE GET PUT
/version GET
`;
