using System.Globalization;
using Azure;
using Azure.Storage.Blobs.Models;

namespace OrleansStream.Checkpoints;

/// <summary>What the blob service's answers mean, and what a person can do about them.</summary>
internal static class BlobErrors
{
    /// <summary>The answers to a creation whose name is taken. Other conflicts, as with a container that is being deleted, say nothing of the name.</summary>
    public static bool IsTaken(RequestFailedException error) => error.ErrorCode == BlobErrorCode.BlobAlreadyExists || error.ErrorCode == BlobErrorCode.ConditionNotMet;

    /// <summary>Whether there is no such blob, in a container that is there.</summary>
    public static bool IsAbsent(RequestFailedException error) => error.Status == 404 && !IsContainerAbsent(error);

    public static bool IsContainerAbsent(RequestFailedException error) => error.ErrorCode == BlobErrorCode.ContainerNotFound;

    /// <summary>Whether a range begins behind the blob's end.</summary>
    public static bool IsBehindEnd(RequestFailedException error) => error.Status == 416;

    /// <summary>Whether a list of blocks names one that the service does not have.</summary>
    public static bool IsBlockMissing(RequestFailedException error) => error.ErrorCode == BlobErrorCode.InvalidBlockList;

    /// <summary>What happened, in a line, without a period.</summary>
    public static string Describe(Exception error) => error switch
    {
        AggregateException { InnerExceptions: [.., var last] } => Describe(last),
        RequestFailedException { Status: > 0 } failed => string.Create(CultureInfo.InvariantCulture, $"{failed.Status} {failed.ErrorCode}, {FirstLine(failed.Message)}"),
        OperationCanceledException => "the service did not answer in time",
        _ => FirstLine(error.Message),
    };

    /// <summary>What to do about it.</summary>
    public static string Remedy(Exception error) => error switch
    {
        AggregateException { InnerExceptions: [.., var last] } => Remedy(last),
        RequestFailedException { Status: 401 or 403 } =>
            "Check the key or the identity: it must be allowed to read, write, delete and list blobs (role Storage Blob Data Contributor), and the account's firewall must let this machine in.",
        RequestFailedException failed when IsContainerAbsent(failed) =>
            "A container that is gone is not an empty one: bring it back, or start the silos again to begin with a new one.",
        RequestFailedException failed when failed.ErrorCode == BlobErrorCode.ContainerBeingDeleted => "Wait until the container's deletion is over, or name another container.",
        RequestFailedException failed when failed.ErrorCode == BlobErrorCode.InvalidHeaderValue => "If this is Azurite, start it with --skipApiVersionCheck.",
        RequestFailedException { Status: 409 } => "See what keeps the blob from being changed: a lease, or the container's immutability policy.",
        RequestFailedException { Status: 429 or 503 } => "The account's limits are reached: spread the load over several accounts, or take checkpoints less often.",
        RequestFailedException { Status: 0 } or OperationCanceledException or IOException => "See that the account's address is right and can be reached from this machine.",
        RequestFailedException => "See what the service's code means, then try again.",
        _ => "See that the service can be reached from this machine, and the credential had on it.",
    };

    private static string FirstLine(string message) => message.AsSpan()[..(message.AsSpan().IndexOfAny('\r', '\n') is >= 0 and var end ? end : message.Length)].TrimEnd(" .").ToString();
}
