using System.Net;
using System.Net.Sockets;

namespace OrleansStream.ClusterTests.Silo;

/// <summary>What <c>serve</c> refuses before it joins anything.</summary>
public sealed class ServeCommandTests
{
    private const string Place = "serve --clustering redis=localhost:1 --storage folder=none ";

    private static readonly string[] Ports = ["--http-port", "--silo-port", "--gateway-port"];

    [Theory]
    [InlineData("serve", "'--clustering' is required")]
    [InlineData("serve --clustering redis=localhost:1", "'--storage' is required")]
    [InlineData("serve --clustering localhost:6379 --storage folder=a", "'localhost:6379' is no place for --clustering: write redis=HOST:PORT")]
    [InlineData("serve --clustering redis= --storage folder=a", "is no place for --clustering")]
    [InlineData("serve --clustering redis=localhost:1 --storage s3=bucket", "--storage takes azure=CONNECTION_STRING or folder=PATH")]
    [InlineData(Place + "--silo-address 0.0.0.0", "'0.0.0.0' is no address for --silo-address")]
    [InlineData(Place + "--silo-address here", "'here' is no address for --silo-address")]
    [InlineData(Place + "--http-address all", "'all' is no address for --http-address")]
    [InlineData(Place + "--silo-port 0", "--silo-port is '0': it must be a whole number from 1 to 65535")]
    [InlineData(Place + "--gateway-port x", "--gateway-port is 'x'")]
    [InlineData(Place + "--checkpoint-interval 1us", "'1us' is no duration for --checkpoint-interval")]
    [InlineData(Place + "--gateway-prt 3000", "Did you mean '--gateway-port'?")]
    public async Task A_wrong_command_line_is_told_in_one_line(string commandLine, string saying) => (await CommandRun.OfAsync(commandLine.Trim().Split(' '))).Failed(2, saying);

    [Theory]
    [InlineData("--http-address 0.0.0.0", "would let everybody start and stop jobs")]
    [InlineData("--jwt-authority https://login.example.com", "--jwt-authority and --jwt-audience belong together")]
    [InlineData("--jwt-authority http://login.example.com --jwt-audience jobs", "it must be https")]
    [InlineData("--api-key-file /nowhere/key", "The API key in the file '/nowhere/key' cannot be read")]
    public async Task A_silo_that_everybody_could_command_does_not_start(string options, string saying) => (await CommandRun.OfAsync($"{Place}{options}".Split(' '))).Failed(1, saying);

    [Theory]
    [InlineData("--http-port")]
    [InlineData("--silo-port")]
    [InlineData("--gateway-port")]
    public async Task A_port_that_is_taken_is_named(string option)
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;
        (await CommandRun.OfAsync([.. WithFreePorts(but: option), option, $"{port}"])).Failed(1, $"Port {port} is in use", $"choose another port with {option}");
    }

    [Fact]
    public async Task An_address_of_another_machine_is_refused() =>
        (await CommandRun.OfAsync([.. WithFreePorts(), "--silo-address", "192.0.2.7"])).Failed(1, "192.0.2.7 is no address of this machine");

    [Fact]
    public async Task A_Redis_that_does_not_answer_is_named_without_its_password() =>
        (await CommandRun.OfAsync(["serve", "--clustering", "redis=localhost:1,password=secret,connectTimeout=500", "--storage", "folder=none", .. WithFreePorts()[5..]]))
            .Failed(1, "Redis at 'localhost:1', and it does not answer (RedisConnectionException): start one there, or say with --clustering where it is.");

    private static string[] WithFreePorts(string? but = null) =>
    [
        .. Place.Trim().Split(' '),
        .. Ports.Where(option => option != but).SelectMany(static option => new[] { option, $"{TestSilos.FreePort()}" }),
    ];
}
