/** The codes of the languages that there are: the one list, without their texts. */
export const LANGUAGES = ['en', 'ru'] as const;

/** Where nobody says otherwise. */
export const DEFAULT_LANGUAGE = LANGUAGES[0];

export type Language = (typeof LANGUAGES)[number];

/** By the first locale that says anything, such as `ru_RU.UTF-8`; English for those that we do not have. */
export function languageOfLocale(...locales: readonly (string | undefined)[]): Language {
  const said = locales.find((locale) => locale !== undefined && locale !== '')?.toLowerCase();
  return LANGUAGES.find((code) => said?.startsWith(code)) ?? DEFAULT_LANGUAGE;
}
