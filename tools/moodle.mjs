/**
 * A small Moodle to try `users import --from moodle --url …` with, on this machine alone and until Ctrl-C:
 * `node tools/moodle.mjs [PORT]`. What it answers is test/lms/moodle-answers.ts.
 */
import { X509Certificate } from 'node:crypto';
import { createServer } from 'node:https';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { generate } from 'selfsigned';

const COURSE = 7;
const NAMES = ['Anna', 'Boris', 'Élise', 'Jürgen', 'Ольга'];
const FAMILIES = ['Müller', 'Иванова', 'García', "O'Neill", 'Lindqvist'];

const students = FAMILIES.flatMap((lastname, row) =>
  NAMES.map((firstname, column) => {
    const id = 100 + row * NAMES.length + column;
    const groups = [`class-${row < 3 ? 'a' : 'b'}`];
    return {
      id,
      username: `student${id}`,
      firstname,
      lastname,
      email: `student${id}@school.example`,
      groups,
    };
  }),
);
const teacher = {
  id: 1,
  username: 'teacher',
  firstname: 'Tom',
  lastname: 'Teacher',
  roles: ['editingteacher'],
};

const { outputFiles } = await build({
  entryPoints: [fileURLToPath(new URL('../test/lms/moodle-answers.ts', import.meta.url))],
  bundle: true,
  format: 'esm',
  write: false,
});
const code = Buffer.from(outputFiles[0].contents).toString('base64');
const { answerOf, TOKEN } = await import(`data:text/javascript;base64,${code}`);

const { private: key, cert } = await generate([{ name: 'commonName', value: 'localhost' }], {
  keyType: 'ec',
});
const options = { courses: { [COURSE]: [teacher, ...students] } };
const server = createServer({ key, cert }, async (request, response) => {
  const { method, url } = request;
  const { status, headers, body } = answerOf({ method, url, body: await text(request) }, options);
  response.writeHead(status, headers).end(body);
});
server.listen(Number(process.argv[2] ?? 0), '127.0.0.1', () => {
  const { port } = server.address();
  const { fingerprint256 } = new X509Certificate(cert);
  process.stdout.write(`a small Moodle: course ${COURSE} has ${students.length} students and a teacher

  export DEPLOY_STAND_MOODLE_TOKEN=${TOKEN}
  deploy-stand users import --from moodle --url https://localhost:${port}/lms --course ${COURSE} --fingerprint ${fingerprint256} --out users.yml

stop with Ctrl-C
`);
});
