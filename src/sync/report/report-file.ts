import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { z } from 'zod';
import { writeFileWhole } from '../../lib/atomic-file.ts';
import { Failure, failureCode } from '../../lib/failure.ts';
import { readJson } from '../../lib/json.ts';
import { requireOutputFile } from '../../lib/output-file.ts';
import { decodeText, UndecodableText } from '../../lib/text/decoded-text.ts';
import { eachOf } from '../../lib/zero-value.ts';
import { formatReport, REPORT_SCHEMA, REPORT_SCHEMA_VERSION, type Report, TOOL } from './report.ts';

/** Only the first of several wrong images is reported. */
const readShape = REPORT_SCHEMA.extend({ images: eachOf(REPORT_SCHEMA.shape.images.element) });
const ownShape = z.object({ schemaVersion: z.number(), tool: z.object({ name: z.literal(TOOL) }) });

/**
 * Makes sure, before a run, that its report replaces nothing but a report. `others` are files that the same command
 * reads or writes; the report must not replace these either. Throws `FILE_NOT_OURS` and `PATH_UNUSABLE`.
 */
export function requireReportFile(file: string | undefined, others: readonly string[]): void {
  if (file === undefined) return;
  const same = others.find((other) => resolve(other) === resolve(file));
  if (same !== undefined) {
    throw new Failure({
      code: 'FILE_NOT_OURS',
      fault: 'usage',
      about: file,
      message: 'this command uses the file for something else',
      hint: 'choose another path for the report',
    });
  }
  requireOutputFile(file, { what: 'report', isOne: isReport });
}

/** A report of a hundred thousand images is large, but the user who named the file waits for it. */
function reportJson(content: Buffer): unknown {
  return readJson(decodeText(content), Number.POSITIVE_INFINITY);
}

/** Returns whether a file is a report of any version. */
function isReport(file: string): boolean {
  try {
    return ownShape.safeParse(reportJson(readFileSync(file))).success;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof UndecodableText) return false;
    throw error;
  }
}

/** Writes a report to a file, completely or not at all. Throws `FILE_UNWRITABLE`. */
export function writeReport(file: string, report: Report): void {
  writeFileWhole(file, formatReport(report));
}

/** Returns the report in a file, whose content `read` returns. Throws `REPORT_UNREADABLE` and `REPORT_MALFORMED`. */
export function readReport(file: string, read: () => Buffer = () => readFileSync(file)): Report {
  const malformed = (message: string, hint: string, cause?: unknown) =>
    new Failure({ code: 'REPORT_MALFORMED', fault: 'usage', about: file, message, hint, cause });
  const hint = 'name the files that --report wrote';
  let value: unknown;
  try {
    value = reportJson(read());
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof UndecodableText)
      throw malformed(`this is not JSON (${error.message.replaceAll(/\s+/g, ' ')})`, hint, error);
    const isMissing = failureCode(error) === 'ENOENT';
    const message = isMissing ? 'there is no such report' : `it cannot be read: ${failureCode(error)}`;
    throw new Failure({
      code: 'REPORT_UNREADABLE',
      fault: 'usage',
      about: file,
      message,
      hint,
      cause: error,
    });
  }
  const version = z.object({ schemaVersion: z.number() }).safeParse(value).data?.schemaVersion;
  if (version !== undefined && version > REPORT_SCHEMA_VERSION) {
    throw malformed(
      `its schemaVersion is ${version}, but this synctl reads only ${REPORT_SCHEMA_VERSION}`,
      'use the version of synctl that wrote it, or a newer one',
    );
  }
  const parsed = readShape.safeParse(value);
  if (parsed.success) return parsed.data;
  if (version === undefined && typeof value === 'object' && !Array.isArray(value)) {
    throw malformed('this is not a report: it has no schemaVersion', hint, parsed.error);
  }
  const [issue] = parsed.error.issues;
  const where = issue === undefined || issue.path.length === 0 ? 'the whole file' : issue.path.join('.');
  throw malformed(`this is not a report: ${where}: ${issue?.message ?? 'unknown'}`, hint, parsed.error);
}
