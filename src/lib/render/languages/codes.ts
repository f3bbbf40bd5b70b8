/** The codes of the languages that there are: the one list, without their texts. */
export const LANGUAGES = ['en', 'ru'] as const;

/** Where nobody says otherwise. */
export const DEFAULT_LANGUAGE = LANGUAGES[0];

export type Language = (typeof LANGUAGES)[number];

/** A locale of the environment, such as `ru_RU.UTF-8`; English for those that we do not have. */
export function languageOfLocale(locale: string | undefined): Language {
  return LANGUAGES.find((code) => locale?.toLowerCase().startsWith(code)) ?? DEFAULT_LANGUAGE;
}
