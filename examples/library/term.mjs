// A whole term on the embedded simulator: deploy, a page of cards, a look at the bridges, and everything removed again.
//   node examples/library/term.mjs examples/router-lab/lab.yml examples/router-lab/users.yml credentials.csv cards.html
import { writeFile } from 'node:fs/promises';
import { createDeployStand, defaultScenario, loadClass, renderHtmlCards } from 'deploy-stand';

const [labFile, usersFile, credentials, page] = process.argv.slice(2);
if (!page) {
  console.error('usage: node term.mjs LAB.YML USERS.YML CREDENTIALS.CSV CARDS.HTML');
  process.exit(2);
}
const cluster = createDeployStand({ simulate: defaultScenario() });
try {
  const want = loadClass(labFile, usersFile);
  const deployed = await cluster.deploy(want, credentials);
  console.log(`deploy: ${deployed.summary.status}`);

  const { cards } = await cluster.cards({ lab: want.lab.name }, credentials);
  await writeFile(page, renderHtmlCards(cards, want.lab.name), { mode: 0o600 });
  console.log(`cards: ${cards.length}`);

  const { bridges } = await cluster.listBridges();
  console.log(`bridges: ${bridges.filter(({ lab }) => lab === want.lab.name).length}`);

  const removed = await cluster.cleanup({ selection: { by: 'stands', lab: want.lab.name } }, credentials);
  console.log(`cleanup: ${removed.summary.status}`);
} finally {
  cluster.close();
}
