/**
 * What a read-only root says to who wants to change packages: apt's guard prints it, and the contract of an image
 * looks for it word by word.
 */
export const maintenanceSentence =
  "the root file system is read-only: packages belong in the image. For a maintenance window run " +
  "`provision maintain USER@HOST -- COMMAND` on your own machine; or here, as root, `mount -o remount,rw /`, " +
  "then what has to be done, and afterwards `mount -o remount,ro /`";
