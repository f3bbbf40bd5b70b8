// Deploys a class and prints who is ready. PVE_HOST, PVE_TOKEN_ID, PVE_TOKEN_SECRET and PVE_FINGERPRINT say where; without
// PVE_HOST it is rehearsed on the embedded simulator.
//   node examples/library/deploy.mjs examples/single-vm/lab.yml examples/single-vm/users.yml credentials.csv
import { createDeployStand, defaultScenario, loadClass, loadConnection, StandError } from 'deploy-stand';

const [lab, users, credentials] = process.argv.slice(2);
if (!credentials) {
  console.error('usage: node deploy.mjs LAB.YML USERS.YML CREDENTIALS.CSV');
  process.exit(2);
}
const target = process.env.PVE_HOST
  ? { connection: (await loadConnection({ env: process.env })).connection }
  : { simulate: defaultScenario() };

const cluster = createDeployStand({
  ...target,
  onEvent: (event) => {
    if (event.type === 'step.failed') console.error(`${event.step.id}: ${event.error.message}`);
  },
});
try {
  const want = loadClass(lab, users);
  const preview = await cluster.previewDeploy(want);
  console.log(`${preview.plan.steps.length} steps for ${preview.plan.stands.length} stands`);
  const { summary } = await cluster.deploy(want, credentials);
  for (const { user, status, vms } of summary.stands) {
    console.log(`${user}: ${status}, ${vms.map(({ name, vmid }) => `${name} ${vmid}`).join(', ')}`);
  }
  console.log(`log in at ${cluster.url}`);
} catch (error) {
  if (!(error instanceof StandError)) throw error;
  console.error(`${error.message}  [${error.code}]`);
  if (error.hint) console.error(`hint: ${error.hint}`);
  process.exitCode = error.exitCode;
} finally {
  cluster.close();
}
