import { describe, expect, test } from 'vitest';
import { encodeForm, path, plainParams } from '../../src/lib/proxmox/form.ts';
import { toHost } from '../../src/lib/proxmox/hosts.ts';
import { parseUpid } from '../../src/lib/proxmox/upid.ts';
import { UPID } from './support.ts';

describe('form', () => {
  test.each([
    ['booleans are 1 and 0', { a: true, b: false }, 'a=1&b=0'],
    [
      'lists are joined by commas',
      { vms: [10201, 10202], groups: ['x', 'y'] },
      'vms=10201%2C10202&groups=x%2Cy',
    ],
    ['absent values are left out', { a: undefined, b: 0, c: '' }, 'b=0&c='],
    ['; and = are encoded inside values', { net0: 'virtio,trunks=2;3' }, 'net0=virtio%2Ctrunks%3D2%3B3'],
    ['+ and blank', { comment: 'a + b' }, 'comment=a%20%2B%20b'],
    ['not ASCII', { comment: 'стенд' }, 'comment=%D1%81%D1%82%D0%B5%D0%BD%D0%B4'],
    ['half a surrogate pair does not throw', { comment: 'a\ud800' }, 'comment=a%EF%BF%BD'],
    ['names too', { 'a&b': 1 }, 'a%26b=1'],
  ])('%s', (_name, params, form) => {
    expect(encodeForm(plainParams(params))).toBe(form);
  });

  test.each(['', '.', '..'])('path refuses %j, which would lead elsewhere', (name) => {
    expect(() => path`/nodes/${name}/qemu`).toThrow(/cannot be the name of anything/);
  });

  test('path encodes what is inserted and nothing else', () => {
    expect(path`/nodes/${'a/b'}/tasks/${UPID}/log`).toBe(
      '/nodes/a%2Fb/tasks/UPID%3Apve1%3A0000A1B2%3A00C3D4E5%3A66000000%3Aqmclone%3A100%3Alab%40pve!ci%3A/log',
    );
  });
});

describe('parseHost', () => {
  test.each([
    ['pve1', true, 'pve1', 8006, 'pve1:8006'],
    ['pve1.lab.example:443', true, 'pve1.lab.example', 443, 'pve1.lab.example:443'],
    ['https://pve1/', true, 'pve1', 8006, 'pve1:8006'],
    ['https://pve1:443', true, 'pve1', 443, 'pve1:443'],
    ['[fd00::1]', true, 'fd00::1', 8006, '[fd00::1]:8006'],
    ['[fd00::1]:9000', true, 'fd00::1', 9000, '[fd00::1]:9000'],
    ['fd00::1', true, 'fd00::1', 8006, '[fd00::1]:8006'],
    ['http://127.0.0.1:4321', false, '127.0.0.1', 4321, '127.0.0.1:4321'],
    ['http://[::1]:4321', false, '::1', 4321, '[::1]:4321'],
    ['http://localhost:80', false, 'localhost', 80, 'localhost:80'],
  ])('%s', (written, secure, hostname, port, label) => {
    expect(toHost(written)).toEqual({ secure, hostname, port, label });
  });

  test.each([
    ['http://pve1', 'HOST_INSECURE', 'unencrypted'],
    ['http://10.0.0.1:8006', 'HOST_INSECURE', 'unencrypted'],
    ['http://127.0.0.1.example.com', 'HOST_INSECURE', 'unencrypted'],
    ['', 'HOST_INVALID', 'not a host'],
    ['pve1:0', 'HOST_INVALID', 'not a host'],
    ['pve1:70000', 'HOST_INVALID', 'not a host'],
    ['pve1/path', 'HOST_INVALID', 'not a host'],
    ['user:pw@pve1', 'HOST_INVALID', 'not a host'],
    ['ftp://pve1', 'HOST_INVALID', 'not a host'],
  ])('%s is refused', (written, code, words) => {
    expect(() => toHost(written)).toThrow(expect.objectContaining({ code, exitCode: 2 }));
    expect(() => toHost(written)).toThrow(words);
  });
});

describe('parseUpid', () => {
  test.each([
    [UPID, { node: 'pve1', type: 'qmclone', id: '100', user: 'lab@pve!ci', starttime: 0x66000000 }],
    [
      'UPID:pve-2:0000A1B2:00C3D4E5F:66000000:srvreload:networking:root@pam:',
      { node: 'pve-2', type: 'srvreload', id: 'networking', user: 'root@pam', starttime: 0x66000000 },
    ],
    [
      'UPID:n:0000a1b2:00c3d4e5:66000000:reloadnetworkall::root@pam:',
      { node: 'n', type: 'reloadnetworkall', id: '', user: 'root@pam', starttime: 0x66000000 },
    ],
  ])('%s', (upid, task) => {
    expect(parseUpid(upid)).toEqual(task);
  });

  test.each(['', 'UPID:', 'UPID:pve1:1:2:3:qmclone:100:lab@pve:', UPID.slice(0, -1), `${UPID}x`])(
    'not a UPID: %j',
    (text) => {
      expect(() => parseUpid(text)).toThrow('not a task identifier');
    },
  );
});
