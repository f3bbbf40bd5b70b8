// Requests of a deploy and a cleanup, by method and endpoint, on virtual time.
// Run: npm run build && node bench/requests.mjs [users machines nodes foreign]
import { byEndpoint, deployAndCleanUp } from './on-virtual-time.mjs';

const [users = 20, machines = 3, nodes = 3, foreignGuests = 0] = process.argv.slice(2).map(Number);
for (const version of ['7.4', '8.4', '9.2']) {
  const { made, removed } = await deployAndCleanUp({ users, machines, nodes, foreignGuests, version });
  for (const [name, { status, requests, makespan }] of Object.entries({ deploy: made, cleanup: removed })) {
    const failed = requests.filter(({ status: code }) => code >= 400).length;
    console.log(
      `${version}: ${name} of ${users} × ${machines} on ${nodes} nodes, ${foreignGuests} foreign guests: ${status}, ${requests.length} requests (${failed} refused) in ${makespan.toFixed(0)} s`,
    );
    for (const [endpoint, count] of byEndpoint(requests))
      console.log(`  ${String(count).padStart(5)} ${endpoint}`);
  }
}
