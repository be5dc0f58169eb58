using Azure.Core;
using Azure.Storage.Blobs;

namespace OrleansStream.Checkpoints;

/// <summary>
/// Where in Azure Blob Storage checkpoints are kept. One way to get there is set: <see cref="ServiceClient"/>, <see cref="ConnectionString"/>, or
/// <see cref="ServiceUri"/> with a <see cref="Credential"/> or a shared access signature in it.
/// </summary>
public sealed class AzureBlobOptions
{
    /// <summary>The container unless another is named.</summary>
    public const string DefaultContainer = "orleansstream";

    /// <summary>The container's name: 3 to 63 of a-z, 0-9 and single '-', with a letter or digit at both ends. Created when it is not there. <c>orleansstream</c> unless set.</summary>
    public string Container { get; set; } = DefaultContainer;

    /// <summary>Begins the names of all blobs, so that several clusters can share a container; like <c>team-a/</c>. 256 characters at most, of those that names of checkpoint objects have. Empty unless set.</summary>
    public string Prefix { get; set; } = "";

    /// <summary>A storage account's connection string, or <c>UseDevelopmentStorage=true</c> for Azurite on its usual port.</summary>
    public string? ConnectionString { get; set; }

    /// <summary>The address of an account's blob service, like <c>https://account.blob.core.windows.net</c>.</summary>
    public Uri? ServiceUri { get; set; }

    /// <summary>Who the silo is at <see cref="ServiceUri"/>: for example the <c>DefaultAzureCredential</c> of the package Azure.Identity. Needs the role <i>Storage Blob Data Contributor</i>.</summary>
    public TokenCredential? Credential { get; set; }

    /// <summary>A client made by the application. It is used as it is, its own retries included.</summary>
    public BlobServiceClient? ServiceClient { get; set; }

    /// <summary>
    /// Options for the client that is made of <see cref="ConnectionString"/> or <see cref="ServiceUri"/>. Unless set, each request is made once and is given up after 30 s
    /// without an answer: the engine repeats what failed.
    /// </summary>
    public BlobClientOptions? ClientOptions { get; set; }

    internal IEnumerable<string> Problems()
    {
        if (ContainerNames.ProblemOf(Container) is { } problem) yield return $"{nameof(Container)} {problem}";
        if (PrefixProblem() is { } wrong) yield return wrong;
        switch ((ServiceClient is null ? 0 : 1) + (ConnectionString is null ? 0 : 1) + (ServiceUri is null ? 0 : 1))
        {
            case 0:
                yield return $"neither {nameof(ConnectionString)} nor {nameof(ServiceUri)} nor {nameof(ServiceClient)} is set; say where the account is";
                break;
            case > 1:
                yield return $"more than one of {nameof(ConnectionString)}, {nameof(ServiceUri)} and {nameof(ServiceClient)} is set; keep one";
                break;
        }

        if (ConnectionString is not null && string.IsNullOrWhiteSpace(ConnectionString)) yield return $"{nameof(ConnectionString)} is empty";
        if (ServiceUri is { IsAbsoluteUri: false }) yield return $"{nameof(ServiceUri)} is not an absolute address";
        if (ServiceUri is { IsAbsoluteUri: true } address && Credential is null && !address.Query.Contains("sig=", StringComparison.Ordinal))
            yield return $"{nameof(ServiceUri)} is set without a {nameof(Credential)} and has no shared access signature";
        if (ServiceUri is null && Credential is not null) yield return $"{nameof(Credential)} is set without a {nameof(ServiceUri)}";
        if (ServiceClient is not null && ClientOptions is not null) yield return $"{nameof(ClientOptions)} have no effect on a {nameof(ServiceClient)} that is made already";
    }

    /// <summary>Makes a client.</summary>
    /// <param name="isPatient">Whether it makes a call again that was not answered; else whoever calls does.</param>
    /// <exception cref="FormatException">The connection string is none.</exception>
    internal BlobContainerClient NewContainerClient(bool isPatient = false)
    {
        var options = ClientOptions ?? new BlobClientOptions
        {
            Retry = { MaxRetries = isPatient ? 3 : 0, NetworkTimeout = TimeSpan.FromSeconds(isPatient ? 10 : 30) },
        };
        var service = ServiceClient
            ?? (ConnectionString is { } connection ? new BlobServiceClient(connection, options)
                : Credential is { } credential ? new BlobServiceClient(ServiceUri!, credential, options)
                : new BlobServiceClient(ServiceUri!, options));
        return service.GetBlobContainerClient(Container);
    }

    private string? PrefixProblem()
    {
        if (Prefix is null) return $"{nameof(Prefix)} is null; leave it empty for none";
        if (Prefix.Length > 256) return $"{nameof(Prefix)} is longer than 256 characters";
        try
        {
            StoreNames.RequirePrefix(Prefix);
            return null;
        }
        catch (ArgumentException error)
        {
            return $"{nameof(Prefix)} begins no names: {error.Message}";
        }
    }
}
