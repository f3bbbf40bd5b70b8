import type { FindingTexts } from './finding-texts.ts';

export const findingRu: FindingTexts = {
  passed: 'пройдена',
  whyNotRun: {
    'no-stand': 'у студента нет стенда',
    missing: 'машины нет',
    'not-ours': 'машина больше не наша',
    'node-offline': 'её узел выключен или недоступен',
    off: 'машина выключена',
    'no-agent': 'в настройках машины не включён гостевой агент',
    'agent-silent': 'гостевой агент не отвечает',
    'agent-odd': 'гостевой агент отвечает бессмыслицу',
    'not-allowed': 'у вызывающего нет на это прав',
    unreachable: 'Proxmox VE не ответил',
    gone: 'за это время машина исчезла',
    unreadable: 'настройки машины не прочитать',
    interrupted: 'запуск был прерван раньше',
  },
  printed: (quoted) => `вывод ${quoted}`,
  printedOnStderr: (quoted) => `stderr ${quoted}`,
  printedNothing: 'без вывода',
  exit: (code, printed) => `код выхода ${code}, ${printed}`,
  killed: (signal, printed) => `завершена сигналом ${signal}, ${printed}`,
  timeout: 'не закончилась вовремя (в машине она продолжается)',
  flood: 'вывод больше 1 МиБ',
  notStarted: (quoted) => `не запустилась: ${quoted}`,
  feedback: { failed: 'не пройдена', notRun: 'не проверено' },
};
