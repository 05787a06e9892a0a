/**
 * The rules of overlayfs that findings cite, measured on Linux 6.18. The numbers are those of the whole list of rules
 * that the emulator follows.
 */
export const citedRules: { readonly [number: number]: string } = {
  12: 'userxattr sets redirect_dir=nofollow and metacopy=off, and refuses other values.',
  48: 'At mount the directory work in the workdir is emptied, two levels deep, and made anew with mode 000; if that fails the mount is read-only. Other names in the workdir are left alone.',
  49: 'What is being made lies in the workdir as #N; a whiteout that all deletions share may stay there after unmount.',
  50: 'A volatile mount makes work/incompat/volatile in the workdir. It stays after unmount, and no later mount is accepted while it is there.',
  51: 'With index=on the workdir holds index. overlay.origin of the upperdir is the file handle of the top-most lower root, overlay.upper of index that of the upperdir.',
  54: 'A whiteout is a character device 0:0, whatever its mode and owner.',
  56: 'An empty regular file with overlay.whiteout is a whiteout to lookup, in any layer. Listings leave it out only in a lower layer other than the lowest, in a directory whose overlay.opaque is "x".',
  57: 'overlay.opaque is "y" (the directory hides those beneath) or, in lower layers, "x"; other values are ignored, and so is "y" on the root of a layer.',
  58: 'overlay.redirect is one name, for a sibling, or an absolute path of the overlay; another form fails with EINVAL, "." and ".." with EACCES. Without a target there is nothing to merge with. An opaque directory’s redirect is not read.',
  59: 'overlay.metacopy is empty or has at least four bytes; shorter values fail with EIO.',
  60: 'overlay.origin is the file handle of the lower file that was copied up, or empty when that is unknown.',
  63: 'overlay.nlink of a file in the index is the difference of its link count to that of the upper ("U+1") or lower inode.',
  64: 'An entry of the index is named by the origin of its file in hexadecimal: a link of the upper file, a directory with overlay.upper, or a whiteout when the last link is gone.',
  65: 'The prefix is trusted.overlay., with userxattr user.overlay.; attributes under the other mean nothing and show as they are.',
  67: '.wh.NAME and .wh..wh..opq, the whiteouts of layer archives, are ordinary names.',
  73: 'Where redirects are not followed, a directory with a redirect cannot be looked up (EPERM) and disappears from listings.',
  74: 'A directory is known by its top-most lower one. Where two places show the same one, by redirects or beside its redirect, the second cannot be looked up while the first is in use (ESTALE).',
  75: 'A file with overlay.metacopy has its data beneath. Without metacopy=on it cannot be opened (EPERM), without data beneath neither (EIO).',
  76: 'Data-only layers are asked for data only, by absolute redirects; what is missing shows when the file is opened (ENOENT).',
  82: 'A directory that merges with no other is listed as it is on the disk, whiteouts included, unless it has overlay.origin.',
  84: 'Listing a merged directory looks up every name of the upperdir in it; one that fails can fail the whole listing.',
  85: 'Inode numbers are those of the lower files, found again after a mount by overlay.origin.',
  120: 'With redirect_dir, metacopy, index, nfs_export or xino on, every directory that is made in a merged one is opaque from the start.',
  124: 'Removing a name leaves a whiteout only if a layer beneath has it.',
  132: 'A directory of the upperdir alone becomes opaque when it is moved into a merged one.',
}
