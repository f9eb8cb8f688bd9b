module String exposing (String)

{-| A stub.

@docs String

-}


{-| -}
type String
    = String
