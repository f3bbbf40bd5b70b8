/** A local mail server behind TLS that keeps what it gets, and refuses one address. */
import { SMTPServer } from 'smtp-server';
import { afterwards } from '../cleanups.ts';
import { newCertificate } from '../certificate.ts';

export interface Box {
  readonly port: number;
  readonly ca: string;
  readonly got: { readonly to: string; readonly raw: string }[];
  refuse: string | undefined;
  /** Hangs up where it should have said that it has got a mail to these. */
  readonly drops: string[];
  refuseSender: boolean;
}

export async function startBox(): Promise<Box> {
  const { key, cert } = await newCertificate();
  const box: Box = { port: 0, ca: cert, got: [], refuse: undefined, drops: [], refuseSender: false };
  const server = new SMTPServer({
    secure: true,
    key,
    cert,
    onAuth: ({ username, password }, _, done) => {
      if (username === 'lab' && password === 'smtp-secret') done(null, { user: 'lab' });
      else done(new Error('535 no'));
    },
    onMailFrom: (_, __, done) => {
      done(box.refuseSender ? Object.assign(new Error('not your address'), { responseCode: 550 }) : null);
    },
    onRcptTo: ({ address }, _, done) => {
      done(address === box.refuse ? Object.assign(new Error('no such user'), { responseCode: 550 }) : null);
    },
    onData: (stream, session, done) => {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const to = session.envelope.rcptTo.map(({ address }) => address).join();
        box.got.push({ to, raw: Buffer.concat(chunks).toString('utf8') });
        if (box.drops.includes(to)) server.connections.forEach((connection) => connection.close());
        else done();
      });
    },
  });
  server.on('error', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  afterwards(() => new Promise<void>((resolve) => server.close(() => resolve())));
  const address = server.server.address();
  return Object.assign(box, { port: typeof address === 'object' && address ? address.port : 0 });
}
