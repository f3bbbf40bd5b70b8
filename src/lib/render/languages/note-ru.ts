import { firstOf } from '../../inventory/delegated-words.ts';
import type { Gap, PoolRight, PoolWriter } from '../../inventory/types.ts';
import { whyUnanswered, type UnansweredTexts } from '../../unanswered.ts';
import type { NoteTexts } from './note-texts.ts';

const isRight = (writer: PoolWriter): writer is PoolRight => 'subject' in writer;

function whoWrites(writer: PoolWriter): string {
  if (!isRight(writer)) return `чьи права есть на ${writer.path}, не показано`;
  const { type, subject, role, path } = writer;
  return `у ${type === 'group' ? '@' : ''}${subject} роль ${role} на ${path}`;
}

export function delegatedWayOutRu({ unseen = false }: Pick<PoolWriter, 'unseen'>): string {
  if (unseen)
    return 'дайте учётной записи deploy-stand право Sys.Audit на /access: оно показывает все права и ничего не позволяет менять; или Pool.Allocate на этот пул и на те, что выше';
  return 'сначала уберите из строк `lab=` и `source=` комментария пула то, что не наше, и только потом отберите это право (с этого момента комментарию снова верят); или внесите учётную запись в `operators:` файла подключений, если под ней тоже работает deploy-stand';
}

function delegated({ pools, writer }: Extract<Gap, { readonly pools: unknown }>, so: string): string {
  const { named, more } = firstOf(pools);
  const others = more > 0 ? ` и ещё ${more}` : '';
  const may = writer.unseen ? 'возможно, меняет' : 'может менять';
  return `Комментарий пула ${may} кто-то ещё (${named.join(', ')}${others}), поэтому ${so}: ${whoWrites(writer)}. Что делать: ${delegatedWayOutRu(writer)}.`;
}

const AWAY: Readonly<Record<string, string>> = {
  PVE_UNREACHABLE: 'кластер не отвечает',
  UNREACHABLE: 'кластер не отвечает',
  ANSWER_LOST: 'ответ кластера потерялся',
  CONNECTION_CLOSED: 'соединение закрыто',
  AUTH_FAILED: 'вход отклонён',
  PERMISSION_DENIED: 'не хватает прав',
  MISSING_PRIVILEGES: 'не хватает прав, или этого больше нет',
  TLS_FINGERPRINT: 'у сервера другой сертификат',
  TLS_UNTRUSTED: 'сертификату сервера нет доверия',
  UNKNOWN_NAME: 'того, что показывает страница, на кластере больше нет',
  PVE_ERROR: 'кластер ответил ошибкой',
};

const UNANSWERED: UnansweredTexts = {
  noAnswer: 'нет ответа',
  trouble: (trouble) => {
    switch (trouble.kind) {
      case 'no-connection':
        return `нет соединения за ${trouble.seconds} с`;
      case 'no-answer':
        return `нет ответа за ${trouble.seconds} с`;
      case 'handshake-closed':
        return 'соединение закрыто во время рукопожатия';
      case 'no-tls':
        return 'там нет TLS; тот ли это порт?';
      case 'closed':
        return 'соединение закрыто';
      case 'status':
        return `статус ${trouble.status} ${trouble.words}`.trim();
      case 'no-json':
        return `статус ${trouble.status}, не JSON`;
      case 'said':
        return trouble.words;
    }
  },
};

export const noteRu: NoteTexts = {
  note: {
    'roles-unread': () => 'Список ролей не прочитать.',
    'acls-unread': () => 'Список прав доступа не прочитать.',
    'groups-unread': () => 'Список групп не прочитать.',
    'stands-delegated': (note) => delegated(note, 'записям в нём верить нельзя'),
    'copies-delegated': (note) =>
      delegated(note, 'копии шаблонов из него не используются: их не клонируют и не удаляют'),
    'bridges-hidden': () =>
      'Мосты могут быть скрыты, поэтому об отсутствующих и неподнятых не сообщается; их показывает право SDN.Audit на /sdn/zones/localnetwork.',
    'machines-hidden': () =>
      'Машины могут быть скрыты, и о таких ничего не известно; их показывает право VM.Audit на /vms или на их пулы.',
    'tasks-hidden': () =>
      'Задачи других учётных записей скрыты: ни об оставшейся блокировке, ни об их неудавшихся задачах не сообщается; их показывает право Sys.Audit на /nodes.',
    'template-unread': ({ machines }) =>
      `Шаблон не прочитать (${machines.join(', ')}): то, что описание работы оставляет за шаблоном, не сравнивается.`,
    'version-unread': ({ machines }) =>
      `Шаблон не прочитать (${machines.join(', ')}): из нынешней ли версии сделаны машины, неизвестно.`,
  },
  // What else stands in brackets are words of the system, or of PVE.
  away: ({ code, message, unanswered }) => {
    const words = unanswered ? `${unanswered.asked}: ${whyUnanswered(unanswered, UNANSWERED)}` : message;
    return `${AWAY[code] ?? 'кластер не удалось прочитать'} (${words})`;
  },
};
