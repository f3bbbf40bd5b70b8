/** What a language says of what could not be seen, and of a cluster that does not answer. What PVE says in it stays as it said it. */
import type { Unanswered } from '../../unanswered.ts';
import type { StatusNote } from '../../plan/views/status-types.ts';

/** Why a cluster is not seen: an error as far as it is told. */
export interface AwayError {
  readonly code: string;
  readonly message: string;
  /** What `message` says, where it is a request without an answer. */
  readonly unanswered?: Unanswered;
}

type Kind = StatusNote['kind'];

type NoteOf<K extends Kind, N extends StatusNote = StatusNote> = N extends unknown
  ? K extends N['kind']
    ? N
    : never
  : never;

export interface NoteTexts {
  readonly note: { readonly [K in Kind]: (note: NoteOf<K>) => string };
  /** By the permanent code of the error. */
  readonly away: (error: AwayError) => string;
}

export function noteIn<K extends Kind>(texts: NoteTexts, note: NoteOf<K>): string {
  const say: (note: NoteOf<K>) => string = texts.note[note.kind as K]; // a note is of its own kind
  return say(note);
}
