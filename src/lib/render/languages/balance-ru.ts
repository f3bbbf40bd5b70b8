/** Balance in Russian. What the planner says of single guests has a sentence for each code; its details stay in JSON. */
import type { RejectionCode } from '../../plan/document/balance-report.ts';
import type { BalanceTexts } from './balance-texts.ts';

/** 1 гость, 2 гостя, 5 гостей. */
function count(number: number, one: string, few: string, many: string): string {
  const [units, tens] = [number % 10, number % 100];
  const isTeen = tens > 10 && tens < 15;
  const word = !isTeen && units === 1 ? one : !isTeen && units > 1 && units < 5 ? few : many;
  return `${number} ${word}`;
}

const vms = (number: number): string => count(number, 'машина', 'машины', 'машин');

const MOVE_WORDS = {
  moved: 'перенесено',
  partial: 'перенесено частично',
  failed: 'ошибка',
  skipped: 'не выполнено',
  planned: 'намечено',
} as const;

const STATUS: Readonly<Record<string, string>> = {
  done: 'выполнено',
  partial: 'выполнено частично',
  failed: 'ничего не удалось перенести',
  interrupted: 'прервано',
  'dry-run': 'пробный запуск',
  'nothing-to-do': 'делать нечего',
  refused: 'отказано',
};

const TITLED = new Set(['done', 'partial', 'failed', 'interrupted']);

const MEASURES = [
  ['CPU pressure', 'давление на CPU'],
  ['memory pressure', 'давление на память'],
  ['committed memory', 'выделенная память'],
  ['virtual CPUs per core', 'виртуальных CPU на ядро'],
  ['load per core', 'нагрузка на ядро'],
  ['memory', 'память'],
] as const;

function breach(text: string): string {
  const known = MEASURES.find(([word]) => text.startsWith(`${word} `));
  return known ? known[1] + text.slice(known[0].length) : text;
}

/** By the code of a rejection. */
const REJECTED: Readonly<Record<RejectionCode, string>> = {
  ignored: 'исключена правилом',
  contradiction: 'правила противоречат друг другу',
  excluded: 'узел исключён из источников',
  offline: 'узел недоступен',
  busy: 'с машиной уже работают',
  state: 'машина не работает',
  'balancer-off': 'балансировка для неё выключена в VMmanager',
  disabled: 'отключена или в режиме восстановления',
  iso: 'подключён ISO-образ',
  snapshots: 'есть снимки',
  cooldown: 'недавно перенесена',
  blacklist: 'последняя миграция не удалась',
  veto: 'платформа не разрешает перенос',
  'no-load': 'не создаёт нагрузки',
  'not-needed': 'после остальных переносов в этом нет нужды',
  'no-target': 'ни один узел не может её принять',
  'no-gain': 'перенос ничего не улучшит',
  limit: 'достигнут предел переносов за цикл; остальное в следующем',
  blackout: 'сейчас переносить нельзя',
  version: 'QEMU на узле старее',
  maintenance: 'узел на обслуживании',
  closed: 'узел не принимает машины',
  'max-guests': 'на узле больше машин, чем можно',
  overload: 'узел был бы перегружен',
  reserve: 'на узле не осталось бы запаса',
  overcommit: 'машинам было бы обещано больше памяти, чем можно',
  'load-unknown': 'нагрузка неизвестна',
  blamed: 'миграции на этот узел не удавались',
  return: 'недавно ушла оттуда',
  pin: 'правило держит её на других узлах',
  affinity: 'правило держит её вместе с другими',
  'anti-affinity': 'правило держит её отдельно от других',
  locked: 'машина заблокирована: над ней идёт или прервана операция',
  ha: 'ею управляет HA',
  'no-move': 'её стенд сейчас переносить нельзя',
  network: 'сеть узла нельзя прочитать или изменить',
  template: 'одна из машин её стенда стала шаблоном и осталась бы на узле',
  unreadable: 'её конфигурацию нельзя прочитать',
  foreign: 'создана не deploy-stand',
  container: 'контейнер: перенести его без остановки нельзя',
  passthrough: 'использует устройства своего узла',
  'not-live': 'переносится только выключенной',
  'host-mount': 'подключена папка своего узла',
  'local-iso': 'подключён ISO-образ из локального хранилища',
  'linked-clone': 'связанный клон в локальном хранилище',
  'local-disks': 'диски в локальном хранилище',
  'half-moved': 'её стенд разделён между узлами',
  cpus: 'у неё больше виртуальных CPU, чем потоков у узла',
  'ha-led': 'HA переносит её на другой узел',
  'ha-rule': 'правило HA не разрешает этот узел',
  'cpu-model': 'у узла другой CPU',
  storage: 'на узле нет подходящего хранилища',
  tied: 'узел не может дать того, что названо в её конфигурации',
  'bridge-taken': 'мост её стенда на узле занят',
  bridge: 'на узле нет её моста, или там это другая сеть',
};

const isKnown = (code: string): code is RejectionCode => Object.hasOwn(REJECTED, code);

const WHY = {
  overload: 'узел перегружен',
  spread: 'нагрузка узлов выравнивается',
  evacuate: 'узел освобождается',
  'half-moved': 'машины одного стенда собираются вместе',
  rule: 'так требует правило',
} as const;

const VERDICTS = {
  balanced: 'перегруженных узлов нет',
  'no-beneficial-move': 'ни один перенос не поможет',
  blackout: 'сейчас ничего не переносится: не то время',
  holding: 'причина действовать есть, но ещё недостаточно циклов подряд',
} as const;

export const balanceRu: BalanceTexts = {
  head: ['УЗЕЛ', 'CPU', 'ПАМЯТЬ', 'НАГРУЗКА/ЯДРО', 'МАШИНЫ'],
  vcpus: 'VCPU/ЯДРО',
  before: 'до',
  after: 'после',
  planned: 'план',
  offline: 'недоступен',
  maintenance: 'обслуживание',
  breach,
  otherNodes: (number, cpu, memory) =>
    `ещё ${count(number, 'узел', 'узла', 'узлов')}: CPU ${cpu}, память ${memory}`,
  moveWord: (status) => MOVE_WORDS[status],
  guestWord: (status, node) =>
    `${MOVE_WORDS[status]}, ${node === null ? 'узел неизвестен' : `на узле ${node}`}`,
  byHa: ', через HA',
  because: ({ why, from }) => `потому что ${WHY[why]} (${from.join(', ')})`,
  anew: 'потому что на узел назначения перенести не удалось, и план составлен заново',
  disks: (pairs) => `диски: ${pairs}`,
  restarts: (vmid, size) =>
    `CT ${vmid} на это время выключен: ${['остановка (не дольше 180 с)', ...(size === '' ? [] : [`копирование ${size}`]), 'запуск'].join(', ')}`,
  moves: 'Переносы',
  gap: (percent) => `, не более чем на ${percent} % дороже наименьшего`,
  notMoved: 'Не переносятся',
  rejected: ({ code, reason }) => (isKnown(code) ? REJECTED[code] : reason),
  several: (number, first) => `${number}, например ${first}`,
  andMore: (first, more) => `${first} и ещё ${more}`,
  stuck: 'Стенды, которые нельзя перенести',
  warning: 'Внимание',
  historyGone: (moment) => `история миграций до ${moment} утрачена`,
  stays: (number, nodes, ids) => `${vms(number)} на ${nodes} не удаётся убрать: ${ids}`,
  toMove: (number) => `к переносу: ${vms(number)}`,
  moved: (number) => `перенесено: ${vms(number)}`,
  failed: (number) => `с ошибкой: ${number}`,
  notDone: (number) => `не выполнено: ${number}`,
  imbalance: 'разброс',
  deferred: (number) => `отложено до следующего цикла: ${number}`,
  title: (status) => (TITLED.has(status) ? `балансировка: ${STATUS[status] ?? status}` : undefined),
  dryRun: 'пробный запуск: ',
  verdict: ({ verdict, moves }) => {
    if (verdict !== 'moves') return VERDICTS[verdict];
    const number = moves.reduce((sum, { guests }) => sum + guests.length, 0);
    return `намечено переносов: ${number}`;
  },
  more: (number) => `… и ещё ${number}`,
  titled: (connection, text) =>
    connection === ''
      ? `балансировка deploy-stand: ${text}`
      : `балансировка deploy-stand, ${connection}: ${text}`,
  movedTo: ({ vmid, node, target, seconds }) =>
    `машина ${vmid} перенесена с ${node} на ${target} за ${seconds} с`,
  failure: (what) => `ОШИБКА: ${what}`,
  status: (status) => STATUS[status] ?? status,
  imbalanceWas: (value) => `разброс был ${value}`,
};
