/** Parameters and permissions of `/access`, per version. Data only. */
export const accessTable = String.raw`
GET /access
  may: user=all
GET /access/ticket
  may: user=world
POST /access/ticket
  flags: protected
  may: user=world
  new-format? bool
  otp? str
  password! str
  path? str len=..64 requires=privs
  privs? str:pve-priv-list len=..64 requires=path
  realm? str:pve-realm len=..32
  tfa-challenge? str
  username! str len=..64
PUT /access/password
  flags: protected
  may: ["or",["userid-param","self"],["and",["userid-param","Realm.AllocateUser"],["userid-group",["User.Modify"]]]]
  [89] confirmation-password? str len=5..64
  [7] password! str len=5..64
  [89] password! str len=8..64
  userid! str:pve-userid len=..64
GET /access/permissions
  may: user=all
  path? str
  userid? str pattern=(?:^(?:[^\s:/]+)\@(?:[A-Za-z][A-Za-z0-9\.\-_]+)(?:!(?:[A-Za-z][A-Za-z0-9\.\-_]+))?$)
GET /access/users
  [89] flags: protected
  may: user=all
  enabled? bool
  full? bool
POST /access/users
  flags: protected
  may: ["and",["userid-param","Realm.AllocateUser"],["userid-group",["User.Modify"],"groups_param","create"]]
  [7] comment? str
  [89] comment? str len=..2048
  [7] email? str:email-opt
  [89] email? str:email-opt len=..254
  enable? bool
  expire? int range=0..
  [7] firstname? str
  [89] firstname? str len=..1024
  groups? str:pve-groupid-list
  [7] keys? str
  [89] keys? str pattern=[0-9a-zA-Z!=]{0,4096}
  [7] lastname? str
  [89] lastname? str len=..1024
  [7] password? str len=5..64
  [89] password? str len=8..64
  userid! str:pve-userid len=..64
GET /access/users/{userid}
  may: ["userid-group",["User.Modify","Sys.Audit"]]
  userid! str:pve-userid len=..64
PUT /access/users/{userid}
  flags: protected
  may: ["userid-group",["User.Modify"],"groups_param","update"]
  append? bool requires=groups
  [7] comment? str
  [89] comment? str len=..2048
  [7] email? str:email-opt
  [89] email? str:email-opt len=..254
  enable? bool
  expire? int range=0..
  [7] firstname? str
  [89] firstname? str len=..1024
  groups? str:pve-groupid-list
  [7] keys? str
  [89] keys? str pattern=[0-9a-zA-Z!=]{0,4096}
  [7] lastname? str
  [89] lastname? str len=..1024
  userid! str:pve-userid len=..64
DELETE /access/users/{userid}
  flags: protected
  may: ["and",["userid-param","Realm.AllocateUser"],["userid-group",["User.Modify"]]]
  userid! str:pve-userid len=..64
GET /access/users/{userid}/token
  may: ["or",["userid-param","self"],["userid-group",["User.Modify"]]]
  userid! str:pve-userid len=..64
GET /access/users/{userid}/token/{tokenid}
  may: ["or",["userid-param","self"],["userid-group",["User.Modify"]]]
  tokenid! str pattern=(?:[A-Za-z][A-Za-z0-9\.\-_]+)
  userid! str:pve-userid len=..64
POST /access/users/{userid}/token/{tokenid}
  flags: protected
  may: ["or",["userid-param","self"],["userid-group",["User.Modify"]]]
  comment? str
  expire? int range=0..
  privsep? bool
  tokenid! str pattern=(?:[A-Za-z][A-Za-z0-9\.\-_]+)
  userid! str:pve-userid len=..64
PUT /access/users/{userid}/token/{tokenid}
  flags: protected
  may: ["or",["userid-param","self"],["userid-group",["User.Modify"]]]
  comment? str
  [9] delete? str:pve-configid-list
  expire? int range=0..
  privsep? bool
  [9] regenerate? bool
  tokenid! str pattern=(?:[A-Za-z][A-Za-z0-9\.\-_]+)
  userid! str:pve-userid len=..64
DELETE /access/users/{userid}/token/{tokenid}
  flags: protected
  may: ["or",["userid-param","self"],["userid-group",["User.Modify"]]]
  tokenid! str pattern=(?:[A-Za-z][A-Za-z0-9\.\-_]+)
  userid! str:pve-userid len=..64
GET /access/groups
  may: user=all
POST /access/groups
  flags: protected
  may: ["perm","/access/groups",["Group.Allocate"]]
  comment? str
  groupid! str:pve-groupid
GET /access/groups/{groupid}
  may: ["perm","/access/groups",["Sys.Audit","Group.Allocate"],"any",1]
  groupid! str:pve-groupid
PUT /access/groups/{groupid}
  flags: protected
  may: ["perm","/access/groups",["Group.Allocate"]]
  comment? str
  groupid! str:pve-groupid
DELETE /access/groups/{groupid}
  flags: protected
  may: ["perm","/access/groups",["Group.Allocate"]]
  groupid! str:pve-groupid
GET /access/roles
  may: user=all
POST /access/roles
  flags: protected
  may: ["perm","/access",["Sys.Modify"]]
  privs? str:pve-priv-list
  roleid! str:pve-roleid
GET /access/roles/{roleid}
  may: user=all
  roleid! str:pve-roleid
PUT /access/roles/{roleid}
  flags: protected
  may: ["perm","/access",["Sys.Modify"]]
  append? bool requires=privs
  privs? str:pve-priv-list
  roleid! str:pve-roleid
DELETE /access/roles/{roleid}
  flags: protected
  may: ["perm","/access",["Sys.Modify"]]
  roleid! str:pve-roleid
GET /access/acl
  may: user=all
PUT /access/acl
  flags: protected
  may: ["perm-modify","{path}"]
  delete? bool
  groups? str:pve-groupid-list
  path! str
  propagate? bool
  roles! str:pve-roleid-list
  tokens? str:pve-tokenid-list
  users? str:pve-userid-list
GET /access/domains
  may: user=world
`;
