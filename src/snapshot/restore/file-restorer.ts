import { constants, ftruncateSync } from 'node:fs';
import type { Directory } from '../../host/directory.ts';
import { errorCode } from '../../host/system-error.ts';
import type { NewFile } from '../../repository/repository.ts';
import type { TreeNode } from '../entry.ts';
import { removeAt } from './clear-way.ts';
import { below } from './below.ts';
import { existingAt, type RestoreContext } from './context.ts';
import { mayOverwrite } from './existing.ts';
import { planFile, type FilePlan } from './file-plan.ts';
import type { FileWriter } from './file-writer.ts';
import type { Folder } from './folder.ts';
import { HardLinks, linkTo, type FirstName } from './hard-links.ts';
import { attributesOf } from './metadata.ts';
import type { Action } from './tally.ts';

/** Restores regular files: content through the writer, then metadata; further names as links. */
export class FileRestorer {
  readonly #context: RestoreContext;
  readonly #writer: FileWriter;
  readonly #links = new HardLinks();

  constructor(context: RestoreContext, writer: FileWriter) {
    this.#context = context;
    this.#writer = writer;
  }

  async restore(folder: Folder, node: TreeNode): Promise<void> {
    const location = below(folder.location, node.name);
    const first = this.#links.firstOf(node);
    if (first !== undefined) return await this.#link(folder, node, first);
    const { settle } = this.#links.begin(node, location);
    this.#context.tally.found(node.sizeBytes);
    try {
      const plan = this.#planFile(folder, node);
      const taken = plan !== undefined && (await this.#execute(plan, folder, node, settle));
      if (!taken) settle();
    } catch (error) {
      settle();
      throw error;
    }
  }

  /** Undefined when the user doesn't let us touch what is there. */
  #planFile(folder: Folder, node: TreeNode): (FilePlan & { readonly action: Action }) | undefined {
    const { options, repository } = this.#context;
    const existing = existingAt(folder, node.name);
    if (!mayOverwrite(options.overwrite, node, existing)) {
      const location = below(folder.location, node.name);
      this.#context.tally.done('unchanged', location, node.sizeBytes);
      this.#context.untouched.add(location);
      return undefined;
    }
    const plan = planFile(folder, node, existing, { overwrite: options.overwrite, index: repository.index });
    const action = plan.way === 'complete' ? 'unchanged' : existing === undefined ? 'restored' : 'updated';
    return { ...plan, action };
  }

  /** True when the file is on its way, false when it is done. */
  async #execute(
    plan: FilePlan & { readonly action: Action },
    folder: Folder,
    node: TreeNode,
    settle: () => void,
  ): Promise<boolean> {
    const location = below(folder.location, node.name);
    if (this.#context.isDryRun || plan.way === 'complete') {
      if (!this.#context.isDryRun) this.#context.metadata.applyToChild(folder.open(), node.name, node);
      else if (plan.action !== 'unchanged') this.#pretend(plan, node);
      this.#context.tally.done(plan.action, location, node.sizeBytes);
      return false;
    }
    const newFile = this.#newFile(plan, folder, node);
    if (newFile === undefined) await this.#fill(plan, folder, node, settle);
    else await this.#make(newFile, plan.action, folder, node, settle);
    return true;
  }

  #pretend({ pieces }: FilePlan, node: TreeNode): void {
    for (const { blob } of pieces) this.#context.onPack?.(blob.pack);
    this.#context.tally.wrote(node.sizeBytes);
  }

  /** What a worker can make by itself: a new file of one blob. */
  #newFile({ way, pieces }: FilePlan, folder: Folder, node: TreeNode): NewFile | undefined {
    const [first, ...others] = pieces;
    if (first === undefined || others.length > 0 || first.blob.plainLength !== node.sizeBytes) return undefined;
    if (way !== 'fresh' || this.#context.metadata.selectXattr !== 'all') return undefined;
    const path = folder.open().path(node.name);
    const holes = this.#context.options.holes === 'sparse' ? 'skip-zeros' : 'write-all';
    return { location: first.blob, path, attributes: attributesOf(node), holes };
  }

  async #make(file: NewFile, action: Action, folder: Folder, node: TreeNode, settle: () => void): Promise<void> {
    if (!folder.isNew) removeAt(folder.open(), node.name, this.#context.clearing, () => undefined);
    const location = below(folder.location, node.name);
    folder.hold();
    const onDone = (error: Error | undefined): void => {
      if (error === undefined) {
        this.#context.tally.wrote(node.sizeBytes);
        this.#context.tally.done(action, location, node.sizeBytes);
      } else this.#context.tally.failed(location, error);
      settle();
      folder.release();
    };
    await this.#writer.make({ file, onDone });
  }

  async #fill(
    plan: FilePlan & { readonly action: Action },
    folder: Folder,
    node: TreeNode,
    settle: () => void,
  ): Promise<void> {
    const { way, fd, pieces } = this.#openFile(folder, node, plan);
    const writtenBytes = pieces.reduce((sum, { blob }) => sum + blob.plainLength, 0);
    this.#context.tally.wrote(node.sizeBytes - writtenBytes);
    folder.hold();
    const onDone = (error: Error | undefined): void => {
      this.#finishFile(folder, node, fd, { action: plan.action, error });
      settle();
      folder.release();
    };
    const holes = this.#context.options.holes === 'sparse' && way === 'fresh' ? 'skip-zeros' : 'write-all';
    await this.#writer.fill({ fd, holes, onBytes: (bytes) => this.#context.tally.wrote(bytes), onDone }, pieces);
  }

  #finishFile(folder: Folder, node: TreeNode, fd: number, end: { action: Action; error: Error | undefined }): void {
    const location = below(folder.location, node.name);
    try {
      if (end.error !== undefined) throw end.error;
      this.#context.metadata.applyToOpen(fd, node);
      this.#context.tally.done(end.action, location, node.sizeBytes);
    } catch (error) {
      this.#context.tally.failed(location, error);
    }
  }

  /** The file that is there when it can be patched, else a new one in place of whatever is there. */
  #openFile(folder: Folder, node: TreeNode, plan: FilePlan): FilePlan & { readonly fd: number } {
    const directory = folder.open();
    const patched = plan.way === 'patch' ? openToPatch(directory, node) : undefined;
    if (patched !== undefined) return { ...plan, fd: patched };
    if (!folder.isNew) removeAt(directory, node.name, this.#context.clearing, () => undefined);
    const fd = directory.openFile(node.name, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL);
    if (this.#context.options.holes === 'sparse') ftruncateSync(fd, node.sizeBytes);
    const whole = { overwrite: 'always', index: this.#context.repository.index } as const;
    return plan.way === 'fresh' ? { ...plan, fd } : { ...planFile(folder, node, undefined, whole), fd };
  }

  async #link(folder: Folder, node: TreeNode, first: FirstName): Promise<void> {
    this.#context.tally.found(0);
    const location = below(folder.location, node.name);
    if (!mayOverwrite(this.#context.options.overwrite, node, existingAt(folder, node.name))) {
      this.#context.tally.done('unchanged', location, 0);
      return;
    }
    await this.#writer.flush();
    await first.settled;
    if (!this.#context.isDryRun) {
      const directory = folder.open();
      if (!folder.isNew) removeAt(directory, node.name, this.#context.clearing, () => undefined);
      linkTo(this.#context.target, first.location, directory, node.name);
    }
    this.#context.tally.done('restored', location, 0);
  }
}

/** Undefined when it may not be written to: then it is replaced. */
function openToPatch(directory: Directory, node: TreeNode): number | undefined {
  try {
    const fd = directory.openFile(node.name, constants.O_RDWR | constants.O_NONBLOCK);
    ftruncateSync(fd, node.sizeBytes);
    return fd;
  } catch (error) {
    if (errorCode(error) === 'EACCES') return undefined;
    throw error;
  }
}
