import type { NoteTexts } from './note-texts.ts';

const asFound = ({ text }: { readonly text: string }): string => text;

/** What reading could not see is told in English already: plans warn of it, too. */
export const noteEn: NoteTexts = {
  note: {
    'roles-unread': asFound,
    'acls-unread': asFound,
    'groups-unread': asFound,
    'stands-delegated': asFound,
    'copies-delegated': asFound,
    'bridges-hidden': () =>
      'bridges may be hidden, so none is told as missing or down; SDN.Audit on /sdn/zones/localnetwork shows them',
    'machines-hidden': () =>
      'machines may be hidden, and those count as unknown; VM.Audit on /vms, or on their pools, shows them',
    'tasks-hidden': () =>
      'tasks of other accounts are hidden: neither a lock that was left behind nor a failed task of theirs is told; Sys.Audit on /nodes shows them',
    'template-unread': ({ machines }) =>
      `the template of ${machines.join(', ')} cannot be read: what the lab leaves to it is not compared`,
    'version-unread': ({ machines }) =>
      `the template of ${machines.join(', ')} cannot be read: whether machines were made from it as it is now is not told`,
  },
  away: ({ message }) => message,
};
