/** What a language says of what could not be seen, and of a cluster that does not answer. What PVE says in it stays as it said it. */
import type { StatusNote } from '../../plan/views/status-types.ts';

type Kind = StatusNote['kind'];

type NoteOf<K extends Kind, N extends StatusNote = StatusNote> = N extends unknown
  ? K extends N['kind']
    ? N
    : never
  : never;

export interface NoteTexts {
  readonly note: { readonly [K in Kind]: (note: NoteOf<K>) => string };
  /** By the permanent code of the error; `message` is what was said of it. */
  readonly away: (code: string, message: string) => string;
}

export function noteIn<K extends Kind>(texts: NoteTexts, note: NoteOf<K>): string {
  const say: (note: NoteOf<K>) => string = texts.note[note.kind as K]; // a note is of its own kind
  return say(note);
}
