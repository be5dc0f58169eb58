using System.Net;
using System.Net.Sockets;
using Azure.Core;
using OrleansStream.Checkpoints;
using OrleansStream.ClusterTests.Faults;

namespace OrleansStream.ClusterTests.AzureStorage;

/// <summary>What is wrong with options, or with the account, is said when the store is opened.</summary>
public sealed class AzureBlobOptionsTests(Azurite azurite)
{
    private static readonly Uri Service = new("https://account.blob.example");

    [Theory]
    [InlineData("ab", "3 to 63 characters")]
    [InlineData("", "is empty")]
    [InlineData("My-Container", "'M' is not one of")]
    [InlineData("a--b", "two in a row")]
    [InlineData("-ab", "may not begin with '-'")]
    [InlineData("ab-", "may not end with '-'")]
    [InlineData("a/b", "'/' is not one of")]
    public void A_container_that_cannot_be_is_refused_with_the_reason(string container, string reason) =>
        Refused(reason, options => (options.ConnectionString, options.Container) = ("UseDevelopmentStorage=true", container));

    [Theory]
    [InlineData("../")]
    [InlineData("/a")]
    [InlineData("A/")]
    public void A_prefix_that_begins_no_names_is_refused(string prefix) =>
        Refused("Prefix begins no names", options => (options.ConnectionString, options.Prefix) = ("UseDevelopmentStorage=true", prefix));

    [Fact]
    public void An_account_that_is_missing_or_named_twice_is_refused()
    {
        Refused("say where the account is", static _ => { });
        Refused("keep one", static options => (options.ConnectionString, options.ServiceUri) = ("UseDevelopmentStorage=true", Service));
        Refused("ConnectionString is empty", static options => options.ConnectionString = " ");
    }

    [Fact]
    public void An_address_without_a_credential_is_refused_and_so_is_the_contrary()
    {
        Refused("without a Credential", static options => options.ServiceUri = Service);
        Refused("without a ServiceUri", static options => (options.ConnectionString, options.Credential) = ("UseDevelopmentStorage=true", new NoCredential()));
    }

    [Fact]
    public void All_that_is_wrong_is_said_at_once() =>
        Assert.Matches("Container .*; Prefix .*; neither ", Refused("Container", static options => (options.Container, options.Prefix) = ("x", "/")));

    [Fact]
    public void A_connection_string_that_is_none_is_refused_without_being_shown() =>
        Assert.DoesNotContain("c2VjcmV0", Refused("cannot be read", static options => options.ConnectionString = "AccountKey:c2VjcmV0"), StringComparison.Ordinal);

    [Fact]
    public async Task A_wrong_key_is_refused_with_what_to_do()
    {
        var connection = await azurite.ConnectionStringAsync();
        var key = connection.Split("AccountKey=")[1].Split(';')[0];
        var wrong = connection.Replace(key, Convert.ToBase64String(new byte[32]), StringComparison.Ordinal);
        var refused = Assert.Throws<StoreException>(() => new AzureBlobStore(new AzureBlobOptions { ConnectionString = wrong, Container = "wrong-key" }));
        Assert.Contains("/tests/wrong-key' cannot be used: 403", refused.Message, StringComparison.Ordinal);
        Assert.Contains("Storage Blob Data Contributor", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(Convert.ToBase64String(new byte[32]), refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_credential_that_cannot_be_had_is_refused_with_its_own_reason()
    {
        var refused = Assert.Throws<StoreException>(static () => new AzureBlobStore(new AzureBlobOptions { ServiceUri = Service, Credential = new NoCredential() }));
        Assert.Contains("nobody is logged in", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_account_that_cannot_be_reached_is_refused()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        var port = ((IPEndPoint)silent.LocalEndpoint).Port;
        silent.Stop();
        var refused = Assert.Throws<StoreException>(() => new AzureBlobStore(new AzureBlobOptions
        {
            ConnectionString = $"AccountName=a;AccountKey={Convert.ToBase64String(new byte[32])};BlobEndpoint=http://127.0.0.1:{port}/a;",
        }));
        Assert.Contains("See that the account's address is right", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(StoreFault.LosesAnswers)]
    [InlineData(StoreFault.Answers503)]
    public async Task An_account_that_does_not_answer_at_once_is_asked_again(StoreFault fault)
    {
        await using var proxy = await StoreProxy.StartAsync(await azurite.NewAccountAsync());
        proxy.Break(fault, times: 2);

        _ = await Task.Run(() => new AzureBlobStore(new AzureBlobOptions { ConnectionString = proxy.ConnectionString }));

        Assert.Equal(2, proxy.Met);
    }

    [Fact]
    public async Task A_client_of_the_application_is_used_as_it_is()
    {
        var store = new AzureBlobStore(new AzureBlobOptions { ServiceClient = await azurite.ClientAsync(), Container = azurite.NewContainer() });
        Assert.True(await store.TryCreateAsync("a", default, TestContext.Current.CancellationToken));
    }

    private static string Refused(string reason, Action<AzureBlobOptions> configure)
    {
        var options = new AzureBlobOptions();
        configure(options);
        var refused = Assert.Throws<ArgumentException>(() => new AzureBlobStore(options));
        Assert.Contains(reason, refused.Message, StringComparison.Ordinal);
        return refused.Message;
    }

    private sealed class NoCredential : TokenCredential
    {
        public override AccessToken GetToken(TokenRequestContext requestContext, CancellationToken cancellationToken) => throw new UnauthorizedAccessException("nobody is logged in");

        public override ValueTask<AccessToken> GetTokenAsync(TokenRequestContext requestContext, CancellationToken cancellationToken) => throw new UnauthorizedAccessException("nobody is logged in");
    }
}
