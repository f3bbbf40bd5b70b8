/** The small Moodle of moodle-answers.ts, on a server of its own until the end of the test. */
import type { TestServer } from '../proxmox/support.ts';
import { serve } from '../proxmox/support.ts';
import { newCertificate } from '../certificate.ts';
import { afterwards } from '../cleanups.ts';
import { answerOf, TOKEN, type MoodleOptions } from './moodle-answers.ts';

export interface Moodle {
  readonly url: string;
  readonly cert: string;
  readonly server: TestServer;
  readonly token: string;
}

/** Over HTTPS on 127.0.0.1, below /lms. */
export async function startMoodle(options: MoodleOptions = {}): Promise<Moodle> {
  const certificate = await newCertificate();
  const server = await serve((response, request) => {
    const { status, headers, body } = answerOf(request, options);
    response.writeHead(status, headers).end(body);
  }, certificate);
  afterwards(() => server.close());
  return { url: `https://localhost:${server.port}/lms`, cert: certificate.cert, server, token: TOKEN };
}
