/**
 * Why a request has no answer, as codes with their parameters: a page in another language has words of its own for each.
 * Must not judge what follows.
 */

/** `said`: words of the system's, or of PVE's, as they came. */
export type Trouble =
  | { readonly kind: 'no-connection' | 'no-answer'; readonly seconds: number }
  | { readonly kind: 'handshake-closed' | 'no-tls' | 'closed' }
  | { readonly kind: 'status'; readonly status: number; readonly words: string }
  | { readonly kind: 'no-json'; readonly status: number }
  | { readonly kind: 'said'; readonly words: string };

/** Of one of the cluster's hosts, `name:port`, where it is known which. */
export type HostTrouble = Trouble & { readonly host?: string };

export interface Unanswered {
  /** Method and path. */
  readonly asked: string;
  /** It may have got there, and nothing usable came back. */
  readonly isSent: boolean;
  readonly troubles: readonly HostTrouble[];
}

/** What a language says of each. */
export interface UnansweredTexts {
  readonly trouble: (trouble: Trouble) => string;
  readonly noAnswer: string;
}

const ENGLISH: UnansweredTexts = {
  noAnswer: 'no answer',
  trouble: (trouble) => {
    switch (trouble.kind) {
      case 'no-connection':
        return `no connection within ${trouble.seconds} s`;
      case 'no-answer':
        return `no answer within ${trouble.seconds} s`;
      case 'handshake-closed':
        return 'connection closed during the handshake';
      case 'no-tls':
        return 'it does not speak TLS; is this the right port?';
      case 'closed':
        return 'the connection was closed';
      case 'status':
        return `status ${trouble.status} ${trouble.words}`.trim();
      case 'no-json':
        return `status ${trouble.status}, no JSON`;
      case 'said':
        return trouble.words;
    }
  },
};

export function troublesText(troubles: readonly HostTrouble[], { trouble: say } = ENGLISH): string {
  return troubles
    .map((trouble) => (trouble.host === undefined ? say(trouble) : `${trouble.host}: ${say(trouble)}`))
    .join('; ');
}

/** What came of it, without what was asked for. */
export function whyUnanswered({ isSent, troubles }: Omit<Unanswered, 'asked'>, texts = ENGLISH): string {
  const reasons = troublesText(troubles, texts);
  return isSent ? `${texts.noAnswer} (${reasons})` : reasons;
}
