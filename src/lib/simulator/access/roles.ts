/** PVE's privileges and built-in roles per major version (AccessControl.pm, $privgroups). Holds no state. */

type Level = 'root' | 'admin' | 'user' | 'audit';
type PrivGroups = Readonly<Record<string, Readonly<Record<Level, readonly string[]>>>>;

const vmAdmin = [
  'VM.Config.Disk',
  'VM.Config.CPU',
  'VM.Config.Memory',
  'VM.Config.Network',
  'VM.Config.HWType',
  'VM.Config.Options',
  'VM.Allocate',
  'VM.Clone',
  'VM.Migrate',
  'VM.Snapshot',
  'VM.Snapshot.Rollback',
];
const vmUser = ['VM.Config.CDROM', 'VM.Config.Cloudinit', 'VM.Console', 'VM.Backup', 'VM.PowerMgmt'];
const agentUser = ['VM.GuestAgent.FileRead', 'VM.GuestAgent.FileWrite', 'VM.GuestAgent.FileSystemMgmt'];

function privGroups(major: 7 | 8 | 9): PrivGroups {
  return {
    VM: {
      root: [],
      admin:
        major === 9 ? [...vmAdmin, 'VM.Replicate', 'VM.GuestAgent.Unrestricted'] : [...vmAdmin, 'VM.Monitor'],
      user: major === 9 ? [...vmUser, ...agentUser] : vmUser,
      audit: major === 9 ? ['VM.Audit', 'VM.GuestAgent.Audit'] : ['VM.Audit'],
    },
    Sys: {
      root: [
        'Sys.PowerMgmt',
        'Sys.Modify',
        'Sys.Incoming',
        ...(major === 7 ? [] : ['Sys.AccessNetwork', 'Permissions.Modify']),
      ],
      admin: ['Sys.Console', 'Sys.Syslog', ...(major === 7 ? ['Permissions.Modify'] : [])],
      user: [],
      audit: ['Sys.Audit'],
    },
    Datastore: {
      root: [],
      admin: ['Datastore.Allocate', 'Datastore.AllocateTemplate'],
      user: ['Datastore.AllocateSpace'],
      audit: ['Datastore.Audit'],
    },
    SDN: {
      root: [],
      admin: ['SDN.Allocate'],
      user: major === 7 ? [] : ['SDN.Use'],
      audit: ['SDN.Audit'],
    },
    User: {
      root: ['Realm.Allocate'],
      admin: ['User.Modify', 'Group.Allocate', 'Realm.AllocateUser'],
      user: [],
      audit: [],
    },
    Pool: { root: [], admin: ['Pool.Allocate'], user: ['Pool.Audit'], audit: ['Pool.Audit'] },
    ...(major === 7
      ? {}
      : {
          Mapping: { root: [], admin: ['Mapping.Modify'], user: ['Mapping.Use'], audit: ['Mapping.Audit'] },
        }),
  };
}

export interface RoleBook {
  readonly privileges: ReadonlySet<string>;
  readonly builtIn: ReadonlyMap<string, ReadonlySet<string>>;
}

const books = new Map<number, RoleBook>();

export function roleBook(major: 7 | 8 | 9): RoleBook {
  const known = books.get(major);
  if (known) return known;
  const privileges = new Set<string>();
  const roles = new Map<string, Set<string>>();
  const give = (role: string, privs: readonly string[]): void => {
    const set = roles.get(role) ?? new Set();
    roles.set(role, set);
    for (const priv of privs) set.add(priv);
  };
  for (const [name, group] of Object.entries(privGroups(major))) {
    for (const priv of Object.values(group).flat()) privileges.add(priv);
    const granted = [...group.admin, ...group.user, ...group.audit];
    give(`PVE${name}Admin`, granted);
    // Mapping.Modify is left to Administrator and PVEMappingAdmin.
    give(
      'PVEAdmin',
      granted.filter((priv) => priv !== 'Mapping.Modify'),
    );
    if (group.user.length > 0) give(`PVE${name}User`, [...group.user, ...group.audit]);
    give('PVEAuditor', group.audit);
  }
  give('PVETemplateUser', ['VM.Audit', 'VM.Clone']);
  give('Administrator', [...privileges]);
  give('NoAccess', []);
  const book = { privileges, builtIn: roles };
  books.set(major, book);
  return book;
}
