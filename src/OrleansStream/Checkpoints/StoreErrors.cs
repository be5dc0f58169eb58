namespace OrleansStream.Checkpoints;

/// <summary>Tells a person what to do about what a file system said.</summary>
internal static class StoreErrors
{
    public const int NotPermitted = 1;
    public const int AccessDenied = 13;

    private const int FileExists = 17;
    private const int NotAFolder = 20;
    private const int TooManyFiles = 24;
    private const int NoSpace = 28;
    private const int ReadOnlyFileSystem = 30;
    private const int TooManyLinks = 31;
    private const int NameTooLong = 36;
    private const int LinksNotSupported = 95;
    private const int QuotaExceeded = 122;
    private const int WindowsDiskFull = unchecked((int)0x80070070);

    /// <summary>Whether an exception is what a file system answers, rather than a mistake of ours.</summary>
    public static bool IsStoreError(Exception e) => e is IOException or UnauthorizedAccessException or System.Security.SecurityException;

    /// <summary>What to do about it.</summary>
    public static string Remedy(Exception e) => e switch
    {
        UnauthorizedAccessException or { HResult: AccessDenied } => "Give this process the right to read and write the folder, or choose another checkpoint folder.",
        { HResult: NoSpace or QuotaExceeded or WindowsDiskFull } => "The disk or quota is full: free some space, or choose a checkpoint folder on another disk.",
        { HResult: ReadOnlyFileSystem } => "The file system is read-only: mount it writable, or choose another checkpoint folder.",
        { HResult: FileExists or NotAFolder } => "A file stands where a folder belongs: remove it, or choose another checkpoint folder.",
        { HResult: TooManyFiles } => "This process has too many files open: raise its limit (ulimit -n).",
        { HResult: NotPermitted or LinksNotSupported or TooManyLinks } => "The file system has no hard links: choose a checkpoint folder on one that has (ext4, XFS, APFS, NFS).",
        { HResult: NameTooLong } => "Choose a checkpoint folder with a shorter path.",
        _ => "See that the disk is there and healthy, then try again.",
    };
}
