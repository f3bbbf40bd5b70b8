// `npm run contract [-- --list] [-- --update]`: ratchet.ts, loaded as vitest loads tests.
import { createViteServer } from 'vitest/node';

const server = await createViteServer({
  configFile: false,
  appType: 'custom',
  logLevel: 'error',
  optimizeDeps: { noDiscovery: true },
  server: { middlewareMode: true, hmr: false, ws: false, watch: null },
});
try {
  const { main } = await server.ssrLoadModule('/test/contract/ratchet.ts');
  process.exitCode = await main(process.argv.slice(2), (line) => process.stdout.write(`${line}\n`));
} finally {
  await server.close();
}
