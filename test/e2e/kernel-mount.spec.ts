// One image, one tree: an image is made by changing files on kernel overlay mounts, step by step, with buildah writing
// the layers. ovl's flat tree of it equals what the kernel shows. A real Debian does the same in debian.spec.ts.

import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { expect } from 'chai'
import { needsCorpus } from '../support/corpus.ts'
import { type Listing, listingDifferences, listTree } from '../support/listing.ts'
import { type Buildah, listMountedImage, needsImageMounts, withStore } from '../support/mounted-image.ts'
import { hasTool, skipUnless } from '../support/probe.ts'

/** What each layer does to the tree, as shell commands in its root. */
const steps: readonly string[] = [
  `mkdir -p bin etc/conf.d usr/share/doc/a usr/share/doc/b opt/dir var/empty srv/deep/er
   cp /bin/true bin/true; ln bin/true bin/hard; ln -s true bin/soft; ln -s /etc etc-link; ln -s gone dangling
   for i in 1 2 3; do echo $i > usr/share/doc/a/$i; echo $i > usr/share/doc/b/$i; echo $i > srv/deep/er/$i; done
   echo one > etc/motd; echo keep > etc/keep; echo old > etc/conf.d/old; echo x > opt/dir/x; echo y > opt/file
   chmod 0700 srv/deep; chown 12:34 etc/keep; chmod 4711 bin/hard; chmod 1777 var/empty
   touch -d '2001-02-03 04:05:06.123456789Z' etc/keep; touch -d '2100-01-01 00:00:00Z' etc/motd`,
  `rm etc/motd usr/share/doc/a/1; rm -r usr/share/doc/b; mkdir usr/share/doc/b; echo new > usr/share/doc/b/new
   rm -r opt/dir; echo file > opt/dir; rm opt/file; mkdir opt/file; echo z > opt/file/z
   mv etc/keep etc/kept; echo more >> etc/conf.d/old; chmod 0750 srv; touch -d '1999-09-09 09:09:09Z' srv
   mkfifo -m 640 var/fifo; mknod -m 600 var/chr c 1 3; mknod -m 660 var/blk b 259 1048575; ln var/fifo var/fifo2
   cp bin/true bin/capped; setcap cap_setuid,cap_net_bind_service=ep bin/capped
   echo a > etc/attr; setfattr -n user.bin -v 0x00ff80c3280a3d00fe etc/attr; setfattr -n trusted.t -v t etc/conf.d`,
  `rm bin/soft; mkdir bin/soft; echo in > bin/soft/in; rm dangling; ln -s etc/kept dangling
   rm etc-link; mkdir etc-link; rm -r srv/deep; mkdir -p srv/deep/er; ln bin/true bin/hard2; rm bin/true
   truncate -s 8M var/sparse; printf DATA | dd of=var/sparse bs=1 seek=4194304 conv=notrunc status=none
   : > usr/share/doc/a/2; chown 100000:4294967294 usr/share/doc/a/3; rm var/fifo
   printf x > "$(printf 'latin1-\\351')"; printf x > "$(printf 'new\\nline')"; printf x > 日本語`,
  `rm -rf usr; mkdir -p usr/share/doc; echo back > usr/share/doc/back; chmod 0711 usr; rm -r var/empty etc/conf.d`,
]

type Form = {
  readonly form: string
  /** Further words of `buildah push`. */
  readonly push: readonly string[]
  readonly transport: string
  readonly tag: string
}

const forms: readonly Form[] = [
  { form: 'OCI layout, gzip', push: [], transport: 'oci', tag: ':latest' },
  { form: 'OCI archive, gzip', push: [], transport: 'oci-archive', tag: ':latest' },
  { form: 'OCI layout, zstd', push: ['--compression-format=zstd'], transport: 'oci', tag: ':latest' },
  { form: 'docker-archive', push: [], transport: 'docker-archive', tag: ':it:latest' },
  { form: 'dir', push: [], transport: 'dir', tag: '' },
]

describe("ovl unpack --flat and the kernel's overlay mount", () => {
  let work = ''
  let mounted: Listing = new Map()
  const imageOf = (form: string) => path.join(work, form.replaceAll(/\W+/g, '-'))

  before(needsCorpus)
  before(needsImageMounts)
  before(function () {
    skipUnless(this, hasTool('setcap') && hasTool('setfattr'), 'setcap or setfattr is not installed')
    work = fs.mkdtempSync(path.join(os.tmpdir(), 'ovl-kernel-'))
    mounted = withStore(buildah => {
      steps.forEach((step, index) => addLayer(buildah, step, index))
      const image = `localhost/step${steps.length}`
      for (const { form, push, transport, tag } of forms) {
        buildah('push', '--quiet', ...push, image, `${transport}:${imageOf(form)}${tag}`)
      }
      return listMountedImage(buildah, image)
    })
  })
  after(() => {
    if (work !== '') fs.rmSync(work, { recursive: true, force: true })
  })

  it('compares a tree that shows every change', () => {
    expect([...mounted.keys()]).to.include.members(['usr/share/doc/back', 'etc/kept', 'bin/capped', 'latin1-\\xe9'])
    expect([...mounted.keys()]).not.to.include.members(['usr/share/doc/a', 'etc/motd', 'bin/true', 'var/empty'])
  })

  for (const { form } of forms) {
    it(`are the same tree (${form})`, () => {
      const bundle = `${imageOf(form)}.bundle`
      execFileSync(process.execPath, ['bin/ovl.js', 'unpack', '--flat', imageOf(form), bundle], { stdio: 'pipe' })
      const differences = listingDifferences(mounted, listTree(path.join(bundle, 'rootfs')), isExempt)
      expect(differences).to.deep.equal([])
    })
  }
})

/** The root has no entry in the layers: its mode and time are those of buildah's store. */
function isExempt(file: string, column: string): boolean {
  return file === '.' && ['mode', 'mtime_s', 'mtime_ns'].includes(column)
}

function addLayer(buildah: Buildah, step: string, index: number): void {
  const container = buildah('from', '--quiet', '--pull-never', index === 0 ? 'scratch' : `localhost/step${index}`)
  const root = buildah('mount', container)
  execFileSync('bash', ['-ec', step], { cwd: root, env: { ...process.env, LC_ALL: 'C.UTF-8' }, stdio: 'pipe' })
  buildah('umount', container)
  buildah('commit', '--quiet', '--format', 'oci', container, `localhost/step${index + 1}`)
  buildah('rm', container)
}
