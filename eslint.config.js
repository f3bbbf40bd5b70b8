import tseslint from 'typescript-eslint';

// How the present time, timers and the process itself are reached, whichever way they are written.
const timers = ['setTimeout', 'setInterval', 'setImmediate', 'performance', 'globalThis', 'global'];
const ofTime = [
  { object: 'Date', property: 'now' },
  { object: 'AbortSignal', property: 'timeout' },
];
// Parsing a date is pure; asking for the present one is not.
const presentDate = [
  "NewExpression[callee.name='Date'][arguments.length=0]",
  "CallExpression[callee.name='Date']",
];
const timeModules = { regex: '^(node:)?(timers|process|perf_hooks)(/|$)' };
// Of the process a room may ask what it is, and nothing that can change.
const processBeyond = '[property.name!=/^(platform|getuid|geteuid|pid|cwd)$/]';

const pureRooms = 'src/lib/{plan,render,marks,pve-values}/**';

export default tseslint.config(
  { ignores: ['dist/', 'node_modules/', 'coverage/', '**/*.cjs'] },
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: {
      parserOptions: {
        projectService: { allowDefaultProject: ['eslint.config.js', 'bench/*.mjs', 'tools/*.mjs'] },
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/dot-notation': ['error', { allowIndexSignaturePropertyAccess: true }],
      'no-console': 'error',
      eqeqeq: 'error',
    },
  },
  {
    // More positions than one remembers are an object.
    files: ['src/**'],
    // Much of it follows PVE's own functions, parameter by parameter.
    ignores: ['src/lib/simulator/**'],
    rules: { 'max-params': ['error', 4] },
  },
  {
    // Rooms in which no function has more than three.
    files: [
      'src/*.ts',
      'src/lib/{agent,audit,library,mail,marks,notify,ssh,ui,vmmanager}/**',
      'src/lib/config/{balance,connections}/**',
      'src/lib/execute/handlers/{acl,network,template,user}/**',
      'src/lib/plan/{saved,balance/vmmanager}/**',
    ],
    rules: { 'max-params': ['error', 3] },
  },
  {
    // What a pure room may not reach: time, randomness, the process, the network.
    files: [pureRooms],
    rules: {
      'no-restricted-globals': ['error', ...timers, 'process', 'console', 'crypto', 'fetch'],
      'no-restricted-properties': ['error', { object: 'Math', property: 'random' }, ...ofTime],
      'no-restricted-syntax': ['error', ...presentDate],
      // Hashing is a pure function; the rest of node:crypto draws randomness.
      'no-restricted-imports': [
        'error',
        { paths: [{ name: 'node:crypto', allowImportNames: ['createHash'] }], patterns: [timeModules] },
      ],
    },
  },
  {
    // Time, environment and process come in through ProgramIo. Who may reach them himself, and why:
    files: ['src/**'],
    ignores: [
      'src/cli.ts', // it is the process
      'src/lib/clock.ts', // the clock that it passes in
      'src/commands/owner.ts', // which process this is, and whether another lives
      'src/lib/files/replace.ts', // half a file goes with the process
      'src/lib/simulator/time/{sim-clock,virtual-time}.ts', // clocks of simulations
      'src/lib/proxmox/transports/{https,agents}.ts', // sockets time out by the wall
      'src/lib/notify/notifier.ts', // the same
      'src/lib/config/connections/secret-command.ts', // a program that hangs does so by the wall
      pureRooms, // their own, stricter rules are above
    ],
    rules: {
      'no-restricted-globals': ['error', ...timers],
      'no-restricted-properties': ['error', ...ofTime],
      'no-restricted-syntax': [
        'error',
        ...presentDate,
        `MemberExpression[object.name='process']${processBeyond}`,
        "VariableDeclarator[init.name='process']",
      ],
      'no-restricted-imports': ['error', { patterns: [timeModules] }],
    },
  },
  {
    files: ['test/**', 'bench/**'],
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
    },
  },
  {
    // A test that is red on a slow machine, or once in a thousand runs, tells nothing of the change it is run for.
    files: ['test/**/*.ts'],
    rules: {
      'no-restricted-properties': [
        'error',
        ...['Date', 'performance'].map((object) => ({
          ...{ object, property: 'now', message: 'Speed is measured in bench/, never asserted.' },
        })),
      ],
      'no-restricted-syntax': [
        'error',
        {
          selector:
            "CallExpression[callee.object.name='fc'][callee.property.name='assert'][arguments.length=1]",
          message: 'How many cases, and which, is said by test/runs.ts.',
        },
        {
          selector: "Property[key.name='unit'] > Literal[value='binary']",
          message: 'Its table costs each worker a second and 120 MB: any-character.ts draws the same.',
        },
      ],
    },
  },
  { files: ['bench/**', 'examples/library/**', '*.js'], rules: { 'no-console': 'off' } },
  { files: ['**/*.js', '**/*.mjs'], ...tseslint.configs.disableTypeChecked },
);
