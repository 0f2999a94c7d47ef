/** Seals the parts of one file, each for its place: a part that was changed, or moved to another place or file, does not open. */
export interface FileSealer {
  seal(place: string, plain: Uint8Array): Buffer;
  /** Throws when the part is not as it was sealed. */
  open(place: string, sealed: Uint8Array): Buffer;
}

/** The sealer of a file of one workspace, by the file's id. */
export type SealerOf = (fileId: string) => FileSealer;
