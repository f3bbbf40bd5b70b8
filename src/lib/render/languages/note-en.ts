import type { NoteTexts } from './note-texts.ts';

const asFound = ({ text }: { readonly text: string }): string => text;

/** They come in English. */
export const noteEn: NoteTexts = {
  note: {
    'roles-unread': asFound,
    'acls-unread': asFound,
    'groups-unread': asFound,
    'stands-delegated': asFound,
    'copies-delegated': asFound,
    'bridges-hidden': asFound,
    'machines-hidden': asFound,
    'tasks-hidden': asFound,
    'template-unread': asFound,
    'version-unread': asFound,
  },
  away: (_, message) => message,
};
