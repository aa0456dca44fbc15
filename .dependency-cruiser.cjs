/**
 * The direction of imports (docs/architecture.md). TypeScript's project references keep the same order at compile time;
 * these rules also name packages that belong to one room only.
 */
const BRAINS = ['config', 'manifests', 'rolling', 'upgrade', 'promotion'];
const ADAPTERS = ['git', 'aws', 'etcd', 'kubernetes', 'postgres', 'queue', 'notify'];

/** Tests and what only they use may use what the room itself may not. */
const notTests = '(\\.spec\\.ts$|/testing/)';

const only = (room, allowed) => ({
  name: `${room}-imports-only`,
  severity: 'error',
  from: { path: `^libs/${room}/src/`, pathNot: notTests },
  to: {
    path: '^(libs|apps|test|tools)/',
    pathNot: [`^libs/${room}/src/`, ...allowed.map((name) => `^libs/${name}/src/index\\.ts$`)],
  },
});

const packageHome = (name, packages, homes) => ({
  name: `${name}-has-one-home`,
  severity: 'error',
  from: { path: '^(libs|apps)/', pathNot: [...homes, notTests] },
  to: { path: packages.map((one) => `node_modules/${one}`) },
});

const forbidden = [
  { name: 'no-cycles', severity: 'error', from: { path: '^(libs|apps)/' }, to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } } },
  { name: 'no-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
  only('kernel', []),
  only('fleet', ['kernel']),
  only('ports', ['kernel', 'fleet']),
  ...BRAINS.map((brain) => only(brain, ['kernel', 'fleet'])),
  only('engine', ['kernel', 'fleet', 'ports', ...BRAINS]),
  ...ADAPTERS.map((adapter) => only(`adapters/${adapter}`, ['kernel', 'fleet', 'ports'])),
  only('platform', ['kernel']),
  only('simulation', ['kernel', 'fleet', 'ports']),
  {
    name: 'rooms-are-entered-by-their-index',
    severity: 'error',
    from: { path: '^apps/([^/]+)/' },
    to: { path: '^libs/', pathNot: '^libs/(adapters/)?[^/]+/src/index\\.ts$' },
  },
  {
    name: 'shipped-code-never-imports-simulation-or-testing',
    severity: 'error',
    from: { path: '^(libs|apps)/', pathNot: ['^apps/sandbox/', '^libs/(simulation|testing)/', notTests] },
    to: { path: '^(libs/(simulation|testing)|apps/sandbox|test)/' },
  },
  {
    name: 'apps-do-not-import-one-another',
    severity: 'error',
    from: { path: '^apps/([^/]+)/', pathNot: '^apps/sandbox/' },
    to: { path: '^apps/', pathNot: '^apps/$1/' },
  },
  {
    name: 'brains-do-no-io',
    severity: 'error',
    from: { path: `^libs/(kernel|fleet|${BRAINS.join('|')})/src/`, pathNot: notTests },
    to: { dependencyTypes: ['core'], pathNot: '^(node:)?(crypto|zlib|stream|buffer|string_decoder|util)$' },
  },
  packageHome('nest', ['@nestjs/'], ['^apps/', '^libs/platform/']),
  packageHome('typeorm', ['typeorm/', 'pg/'], ['^libs/adapters/(postgres|queue)/', '^apps/sandbox/src/servers/']),
  packageHome('bullmq', ['bullmq/', 'ioredis/'], ['^libs/adapters/queue/']),
  packageHome('simple-git', ['simple-git/'], ['^libs/adapters/git/', '^apps/sandbox/']),
  packageHome('kubernetes-client', ['@kubernetes/client-node/'], ['^libs/adapters/kubernetes/']),
  packageHome('aws-sdk', ['@aws-sdk/', '@smithy/'], ['^libs/adapters/(aws|kubernetes)/']),
];

module.exports = {
  forbidden,
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.base.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['source', 'import', 'node', 'types', 'default'],
      extensions: ['.ts', '.js', '.mjs', '.cjs', '.json', '.d.ts'],
    },
  },
};
