/** Russian. */
import type { HandoutTexts } from './handout-texts.ts';

export const handoutRu: HandoutTexts = {
  accounts: 'Учётные записи',
  user: 'Учётная запись',
  name: 'Имя',
  address: 'Адрес',
  realm: 'Область (Realm)',
  userName: 'Имя пользователя',
  password: 'Пароль',
  schoolLogin: 'ваш пароль учебного заведения',
  pool: 'Пул',
  until: 'Действует до',
  lastDay: (day) => `${day.split('-').reverse().join('.')} включительно`,
  machine: 'Машина',
  machines: 'Машины',
  vmid: 'VMID',
  node: 'Узел',
  lab: 'Работа',
  console: 'Консоль',
  consoles: 'Консоли',
  openConsole: 'консоль',
  first:
    'С чего начать: откройте адрес в браузере, выберите область и войдите. Затем выберите машину слева, запустите её (Start) и откройте консоль (Console).',
  wayBack: (snapshot) =>
    `Что-то сломалось? Выберите машину, Snapshots, ${snapshot}, Rollback: она станет такой, какой была выдана, а всё сделанное на ней с тех пор пропадёт.`,
  subject: (lab) => (lab === '' ? 'Ваш вход' : `Ваш вход: лабораторная работа ${lab}`),
  greeting: (name) => (name === '' ? 'Здравствуйте!' : `Здравствуйте, ${name}!`),
  intro: (lab) =>
    lab === ''
      ? 'Вот данные для входа на ваши машины.'
      : `Вот данные для входа в лабораторную работу ${lab}.`,
};
