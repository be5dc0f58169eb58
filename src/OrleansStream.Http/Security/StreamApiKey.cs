using System.Security.Cryptography;
using System.Text;
using OrleansStream.Jobs;

namespace OrleansStream.Http;

/// <summary>
/// A key that requests show in the header <c>X-Api-Key</c>. Only its hash is kept; it is in no log and no message, and comes from no command line, where every process of the machine can read it.
/// </summary>
public sealed class StreamApiKey
{
    /// <summary>The fewest characters of a key: 16.</summary>
    public const int FewestCharacters = 16;

    private const int MostCharacters = 1024;

    private readonly byte[] _hash;

    private StreamApiKey(string key, StreamRole role, string origin)
    {
        key = key.Trim();
        if (key.Length is < FewestCharacters or > MostCharacters) throw new StreamException($"The API key of {origin} has {key.Length} characters; it must have {FewestCharacters} to {MostCharacters}. Make one with: openssl rand -hex 32");
        if (key.Any(static c => c is <= ' ' or > '~')) throw new StreamException($"The API key of {origin} has blanks or characters that no header can have: use letters, digits and punctuation of ASCII, on one line.");
        _hash = Hash(key);
        Role = role;
        Origin = origin;
    }

    /// <summary>What it allows.</summary>
    public StreamRole Role { get; }

    /// <summary>Where it comes from, for messages.</summary>
    public string Origin { get; }

    /// <summary>Takes a key from a variable of the environment.</summary>
    /// <param name="variable">The variable's name.</param>
    /// <param name="role">What the key allows.</param>
    /// <returns>Null when the variable is not set, or empty.</returns>
    /// <exception cref="StreamException">It is no key.</exception>
    public static StreamApiKey? FromEnvironment(string variable, StreamRole role = StreamRole.Operate)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(variable);
        return Environment.GetEnvironmentVariable(variable) is { Length: > 0 } key ? new StreamApiKey(key, role, $"the environment variable {variable}") : null;
    }

    /// <summary>Takes a key from a file that holds nothing else. It is read once: a changed key counts from the next start.</summary>
    /// <exception cref="StreamException">The file cannot be read, or holds no key.</exception>
    public static StreamApiKey FromFile(string path, StreamRole role = StreamRole.Operate)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        try
        {
            return new StreamApiKey(File.ReadAllText(path), role, $"the file '{path}'");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new StreamException($"The API key in the file '{path}' cannot be read: {error.Message}", error);
        }
    }

    /// <summary>Where it comes from; never the key.</summary>
    public override string ToString() => $"the API key of {Origin}";

    /// <summary>What a shown key allows; null when it is none of those. Takes the same time whichever it is, and however much of it is right.</summary>
    internal static StreamRole? RoleOf(string shown, IReadOnlyList<StreamApiKey> keys)
    {
        var hash = Hash(shown);
        StreamRole? role = null;
        foreach (var key in keys)
        {
            if (CryptographicOperations.FixedTimeEquals(hash, key._hash) && (role is null || key.Role > role)) role = key.Role;
        }

        return role;
    }

    private static byte[] Hash(string key) => SHA256.HashData(Encoding.UTF8.GetBytes(key));
}
