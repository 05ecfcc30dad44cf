using System.Net;
using Microsoft.AspNetCore.Connections;

namespace Monitoring.Api.Access;

/// <summary>
/// Bounds the connections in all and of each address, and lets a new one in all the same: the one that has done nothing for longest makes
/// room for it. So thousands of silent connections shut out nobody, a probe of the same address included. Only where each of them is being
/// answered is a new one refused.
/// </summary>
internal sealed class ConnectionLimits(int most, int mostPerAddress, IReadOnlyList<IPNetwork> proxies)
{
    /// <summary>So many in all; each costs some 20 KB.</summary>
    public const int Most = 2048;

    /// <summary>So many of one address, unless it is a proxy that is trusted.</summary>
    public const int MostPerAddress = 512;

    private readonly Lock _lock = new();
    private readonly LinkedList<Place> _idle = []; // the one that has done nothing for longest first
    private readonly Dictionary<string, Owner> _owners = [];
    private int _count;

    /// <summary>How many are open.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
                return _count;
        }
    }

    /// <summary>Gives each connection a place, and what it carries to <paramref name="next"/>.</summary>
    public ConnectionDelegate Guard(ConnectionDelegate next) => async connection =>
    {
        if (!TryEnter(connection, out var place))
        {
            connection.Abort(new ConnectionAbortedException("too many connections are being answered"));
            return;
        }

        connection.Features.Set(place);
        try
        {
            await next(connection);
        }
        finally
        {
            lock (_lock)
                Remove(place);
        }
    };

    /// <summary>A request of this connection is whole and is being answered: it cannot make room for another.</summary>
    public void Begin(HttpContext context)
    {
        if (context.Features.Get<Place>() is not { } place)
            return;
        lock (_lock)
            Unlist(place);
    }

    /// <summary>The request is answered.</summary>
    public void End(HttpContext context)
    {
        if (context.Features.Get<Place>() is not { } place)
            return;
        lock (_lock)
            if (!place.IsGone && place.InAll is null)
                List(place);
    }

    private bool TryEnter(ConnectionContext connection, out Place place)
    {
        var address = (connection.RemoteEndPoint as IPEndPoint)?.Address;
        Place? evicted = null;
        lock (_lock)
        {
            var name = TokenBuckets.Of(address);
            if (!_owners.TryGetValue(name, out var owner))
                _owners[name] = owner = new Owner(name, isBounded: address is null || !proxies.Any(network => network.Contains(address)));
            place = new Place(connection, owner);
            var full = owner.IsBounded && owner.Count >= mostPerAddress ? owner.Idle : _count >= most ? _idle : null;
            if (full is not null)
            {
                if (full.First is not { } oldest)
                    return false;
                Remove(evicted = oldest.Value);
                _owners[name] = owner; // it may have been its last
            }

            owner.Count++;
            _count++;
            List(place);
        }

        evicted?.Connection.Abort(new ConnectionAbortedException("another connection needs the place of this one, which is idle"));
        return true;
    }

    private void Remove(Place place)
    {
        if (place.IsGone)
            return;
        Unlist(place);
        place.IsGone = true;
        _count--;
        if (--place.Owner.Count == 0)
            _owners.Remove(place.Owner.Name);
    }

    private void List(Place place) => (place.InAll, place.OfOwner) = (_idle.AddLast(place), place.Owner.Idle.AddLast(place));

    private void Unlist(Place place)
    {
        if (place.InAll is null)
            return;
        _idle.Remove(place.InAll);
        place.Owner.Idle.Remove(place.OfOwner!);
        (place.InAll, place.OfOwner) = (null, null);
    }

    private sealed class Owner(string name, bool isBounded)
    {
        public string Name => name;

        public bool IsBounded => isBounded;

        public LinkedList<Place> Idle { get; } = [];

        public int Count { get; set; }
    }

    private sealed class Place(ConnectionContext connection, Owner owner)
    {
        public ConnectionContext Connection => connection;

        public Owner Owner => owner;

        public LinkedListNode<Place>? InAll { get; set; }

        public LinkedListNode<Place>? OfOwner { get; set; }

        public bool IsGone { get; set; }
    }
}
