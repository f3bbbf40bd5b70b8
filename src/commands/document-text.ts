/** A document as text of each format. The one place that writes them; every text ends with a line break. */
import { Document, visit } from 'yaml';
import { escapeControl, escapeJson } from '../lib/render/escape.ts';
import type { DocumentFormat } from './output-formats.ts';

/** Names from a server may hold what a terminal obeys; YAML can write that as escapes between double quotes only. */
function yamlText(value: unknown): string {
  const document = new Document(value);
  visit(document, {
    Scalar: (_, node) => {
      if (typeof node.value === 'string' && escapeControl(node.value) !== node.value)
        node.type = 'QUOTE_DOUBLE';
    },
  });
  return escapeJson(document.toString());
}

interface Writer {
  /** The one document of a command. */
  readonly single: (document: unknown) => string;
  /** One of many, which a reader takes as they come. */
  readonly inStream: (document: unknown) => string;
}

const WRITERS: Readonly<Record<DocumentFormat, Writer>> = {
  json: {
    single: (document) => `${escapeJson(JSON.stringify(document, null, 2))}\n`,
    inStream: (document) => `${escapeJson(JSON.stringify(document))}\n`,
  },
  yaml: { single: yamlText, inStream: (document) => `---\n${yamlText(document)}` },
};

export function documentText(document: unknown, format: DocumentFormat): string {
  return WRITERS[format].single(document);
}

export function streamedText(document: unknown, format: DocumentFormat): string {
  return WRITERS[format].inStream(document);
}
