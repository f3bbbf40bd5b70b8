/** Steps of a run ask a node once, each by its own client; a node that is silent is asked again. */
import { expect, test } from 'vitest';
import { assertNodeAnswers, nodeHasAnswered } from '../../../src/lib/execute/handlers/node-answers.ts';
import { onPve1, PveWorld } from '../world.ts';

/** How often pve2 was asked. */
function asking() {
  const world = new PveWorld(onPve1({}));
  let asked = 0;
  const step = (isSilent = false) => {
    const pve = world.client();
    const tasks: typeof pve.tasks = (...args) => {
      asked += 1;
      return isSilent ? Promise.reject(new Error('silent')) : pve.tasks(...args);
    };
    return world.drive(assertNodeAnswers('pve2', { ...world.io(), pve: { ...pve, tasks } }));
  };
  return { world, step, asked: () => asked };
}

test('steps of one run share the answer for 10 s, whichever client each has', async () => {
  const { world, step, asked } = asking();
  await Promise.all([step(), step(), step()]);
  await world.pass(8);
  await step();
  expect(asked()).toBe(1);
  await world.pass(3);
  await step();
  expect(asked()).toBe(2);
});

test('a guest of the node that was read a moment ago is an answer', async () => {
  const { world, step, asked } = asking();
  nodeHasAnswered('pve2', world.io());
  await step();
  expect(asked()).toBe(0);
});

test('silence is no answer: the next one asks', async () => {
  const { step, asked } = asking();
  await expect(step(true)).rejects.toThrow('silent');
  await step();
  expect(asked()).toBe(2);
});
