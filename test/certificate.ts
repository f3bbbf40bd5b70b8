/** Certificates of servers in tests, of a kind whose keys are made at once. */
import { generate } from 'selfsigned';

type Options = NonNullable<Parameters<typeof generate>[1]>;

/** PEM. */
export async function newCertificate(
  name = 'localhost',
  options: Options = {},
): Promise<{ readonly key: string; readonly cert: string }> {
  const { private: key, cert } = await generate([{ name: 'commonName', value: name }], {
    ...options,
    keyType: 'ec',
  });
  return { key, cert };
}
