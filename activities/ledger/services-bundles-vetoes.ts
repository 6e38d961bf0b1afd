import { type Kysely, sql, type Transaction } from 'kysely';
import type { Bundle } from '../../domain/bundle.ts';
import type { Veto } from '../../domain/veto.ts';
import { plain } from './plain.ts';
import type { Tables } from './tables.ts';

/** The migration that makes the tables. */
export async function servicesBundlesAndVetoes(db: Kysely<Tables>): Promise<void> {
  await sql`create table services (
    name text primary key,
    known_since timestamptz not null
  )`.execute(db);
  await sql`insert into services (name, known_since)
    select service, coalesce(min(begun_at), now()) from releases group by service`.execute(db);
  await sql`alter table releases add foreign key (service) references services`.execute(db);
  await sql`create table bundles (
    id text primary key,
    service text not null references services,
    version text not null,
    commit text not null,
    image_repository text not null,
    image_digest text not null,
    test_images json not null,
    config_version integer not null,
    manifest_digest text not null,
    release text not null references releases,
    known_since timestamptz not null
  )`.execute(db);
  await sql`create index bundles_of_service on bundles (service, known_since)`.execute(db);
  // No reference to bundles or releases: whoever lifts a veto may come before the release could tell of it.
  await sql`create table vetoes (
    environment text not null,
    bundle text not null,
    release text not null,
    service text not null references services,
    version text not null,
    reason text not null,
    placed_at timestamptz not null,
    lifted_by text,
    lifted_at timestamptz,
    lift_reason text,
    primary key (environment, bundle, release)
  )`.execute(db);
}

/** Makes the service known, from the first time that anything is told of it. */
export async function writeService(transaction: Transaction<Tables>, name: string, at: string): Promise<void> {
  await transaction
    .insertInto('services')
    .values({ name, known_since: at })
    .onConflict((conflict) => conflict.column('name').doNothing())
    .execute();
}

/** Keeps a bundle under its id, which is that of its content: told again, by whomever, it is the same. */
export async function writeBundle(
  transaction: Transaction<Tables>,
  release: string,
  { bundle, at }: { readonly bundle: Bundle; readonly at: string },
): Promise<void> {
  const { commit, configVersion, id, image, manifestDigest, service, testImages, version } = bundle;
  await transaction
    .insertInto('bundles')
    .values({
      id,
      service: plain(service),
      version: plain(version),
      commit,
      image_repository: plain(image.repository),
      image_digest: image.digest,
      test_images: JSON.stringify(testImages),
      config_version: configVersion,
      manifest_digest: manifestDigest,
      release,
      known_since: at,
    })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .execute();
}

/** A veto in an environment, and who lifted it. */
export interface VetoFact {
  readonly service: string;
  readonly environment: string;
  readonly veto: Veto;
  /** Absent when it is placed. */
  readonly lifted?: { readonly by: string; readonly at: string; readonly reason: string };
}

/** Keeps that a bundle was vetoed, or that the veto was lifted. Told in either order it comes to the same. */
export async function writeVeto(transaction: Transaction<Tables>, fact: VetoFact): Promise<void> {
  const { environment, lifted, service, veto } = fact;
  const placed = { version: plain(veto.version), reason: plain(veto.reason), placed_at: veto.at };
  const row =
    lifted === undefined
      ? placed
      : { ...placed, lifted_by: plain(lifted.by), lifted_at: lifted.at, lift_reason: plain(lifted.reason) };
  await transaction
    .insertInto('vetoes')
    .values({ environment, bundle: veto.bundle, release: plain(veto.release), service, ...row })
    .onConflict((conflict) => conflict.columns(['environment', 'bundle', 'release']).doUpdateSet(row))
    .execute();
}
