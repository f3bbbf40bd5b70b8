/** The flags of `users export`, for cards and mails. */
import type { Language } from '../../lib/render/languages/codes.ts';
import type { DocumentFormat } from '../format-by-name.ts';
import type { UsersFlags } from './selection.ts';

export interface UsersExportFlags extends UsersFlags {
  readonly format?: DocumentFormat;
  readonly language: Language;
  readonly out?: string;
  readonly mail?: string;
  readonly send?: true;
  readonly template?: string;
  readonly mailFrom?: string;
  readonly smtp?: string;
  readonly smtpPassword?: string;
  readonly smtpCaFile?: string;
  readonly mailRate: number;
  readonly encryptTo?: readonly string[];
}
