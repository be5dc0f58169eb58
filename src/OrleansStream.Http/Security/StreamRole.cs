namespace OrleansStream.Http;

/// <summary>What a key or token allows.</summary>
public enum StreamRole
{
    /// <summary>To look: every <c>GET</c>. In a token the role, or scope, <c>orleansstream.read</c>.</summary>
    Read,

    /// <summary>To look, and to start, stop and rescale: every <c>POST</c>, too. In a token the role, or scope, <c>orleansstream.operate</c>.</summary>
    Operate,
}
